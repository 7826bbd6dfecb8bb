//! Methods that are another's: of what a client, server or connection has within.

/// Writes each method as a call of the one that stands behind `=`, with the same arguments. The bound is the only one that
/// a method here needs.
macro_rules! delegate {
    ($(
        $(#[$doc:meta])*
        pub fn $name:ident $(<$message:ident: ToMessage + ?Sized>)? (
            &$($receiver:ident)+ $(, $argument:ident: $type:ty)*
        ) $(-> $output:ty)? = $this:ident.$field:tt.$method:ident;
    )*) => {$(
        $(#[$doc])*
        pub fn $name $(<$message: ToMessage + ?Sized>)? (
            &$($receiver)+ $(, $argument: $type)*
        ) $(-> $output)? {
            $this.$field.$method($($argument),*)
        }
    )*};
}
