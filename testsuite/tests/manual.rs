//! What the documents say of the code, where no package has both.

/// The core's own tests compare this list with the code.
const STATES: &str = include_str!("../../darkrift-proto/tests/data/states.txt");
const MANUAL: &str = include_str!("../../docs/sans-io.md");

#[test]
fn the_manual_has_the_table_of_connecting_that_is_in_the_code() {
    let (_, table) = MANUAL.split_once("| state | side | leaves for | when |").expect("the table");
    let (table, _) = table.split_once("| any of these |").expect("the rows of closing");
    let mut state = "";
    let mut written = Vec::new();
    for row in table.lines().filter(|row| row.starts_with("| ")) {
        let cells: Vec<&str> = row.split('|').map(|cell| cell.trim().trim_matches('`')).collect();
        state = if cells[1].is_empty() { state } else { cells[1] };
        if !cells[3].is_empty() && !cells[3].starts_with("---") {
            written.push(format!("{state} {}", cells[3]));
        }
    }
    assert_eq!(written, STATES.lines().collect::<Vec<_>>());
}
