//! The two messages of the choose programs, as DarkRiftPy's example has them.

use darkrift::Message;

/// The client asks: choose one of these.
#[derive(Debug, Message)]
#[darkrift(tag = 1)]
pub(crate) struct Choose {
    pub(crate) items: Vec<i32>,
}

/// The server answers: this one.
#[derive(Debug, Message)]
#[darkrift(tag = 2)]
pub(crate) struct Choice {
    pub(crate) item: i32,
}
