//! Every scenario on smol.

use darkrift_testsuite::adapters::Smol;
use darkrift_testsuite::{every_scenario, tests_of};

every_scenario!(Smol);
tests_of!(Smol, servers: f15_a_handler_that_panics_loses_its_client_and_no_other,);
