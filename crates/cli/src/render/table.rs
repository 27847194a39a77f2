//! Plain tables: columns aligned by spaces, so that `awk` and eyes both read them.

use std::fmt;

/// Rows of text in aligned columns, under a row of column names.
#[derive(Debug)]
pub(crate) struct Table<const N: usize> {
    rows: Vec<[String; N]>,
    right: [bool; N],
}

impl<const N: usize> Table<N> {
    /// A table with these column names.
    pub(crate) fn new(names: [&str; N]) -> Self {
        Self { rows: vec![names.map(str::to_uppercase)], right: [false; N] }
    }

    /// Aligns these columns to the right, as numbers are.
    pub(crate) fn right<const M: usize>(mut self, columns: [usize; M]) -> Self {
        for column in columns {
            self.right[column] = true;
        }
        self
    }

    /// Adds a row.
    pub(crate) fn row(&mut self, cells: [String; N]) {
        self.rows.push(cells);
    }
}

impl<const N: usize> fmt::Display for Table<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut widths = [0; N];
        for row in &self.rows {
            for (width, cell) in widths.iter_mut().zip(row) {
                *width = cell.chars().count().max(*width);
            }
        }
        for row in &self.rows {
            let cells = row.iter().zip(widths).zip(self.right);
            let cells = cells.map(
                |((cell, width), right)| {
                    if right { format!("{cell:>width$}") } else { format!("{cell:<width$}") }
                },
            );
            writeln!(f, "{}", cells.collect::<Vec<_>>().join("  ").trim_end())?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_line_up() {
        let mut table = Table::new(["name", "size"]).right([1]);
        table.row(["base".to_owned(), "5".to_owned()]);
        table.row(["devcontainer-base".to_owned(), "12345".to_owned()]);
        assert_eq!(table.to_string(), "NAME                SIZE\nbase                   5\ndevcontainer-base  12345\n");
    }
}
