//! Every scenario on async-std.

use darkrift_testsuite::adapters::AsyncStd;
use darkrift_testsuite::{every_scenario, tests_of};

every_scenario!(AsyncStd);
tests_of!(AsyncStd, servers: f15_a_handler_that_panics_loses_its_client_and_no_other,);
