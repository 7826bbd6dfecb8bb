//! Every scenario on tokio.

use darkrift_testsuite::adapters::Tokio;
use darkrift_testsuite::{every_scenario, tests_of};

every_scenario!(Tokio);
tests_of!(Tokio, servers: f15_a_handler_that_panics_loses_its_client_and_no_other,);
