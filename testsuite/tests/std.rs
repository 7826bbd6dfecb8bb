//! Every scenario in a game loop.

use darkrift_testsuite::adapters::Std;
use darkrift_testsuite::every_scenario;

every_scenario!(Std);
