//! A pool's table without its two devices, which is what stays over a boot: their numbers do not.

use crate::units::Sectors;

/// What of a table is kept to the letter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Shape {
    /// Length of the data in the table.
    pub(super) length: Sectors,
    /// Everything behind the devices.
    pub(super) arguments: String,
}

impl Shape {
    /// Of a table's one line; `None` where that is no pool's.
    pub(super) fn of_line(line: &str) -> Option<Self> {
        let mut words = line.splitn(6, ' ');
        let length = words.nth(1)?.parse().ok()?;
        (words.next()? == "thin-pool").then_some(())?;
        let arguments = words.nth(2)?.trim_end().to_owned();
        Some(Self { length: Sectors(length), arguments })
    }

    /// The table over these devices.
    pub(super) fn table(&self, metadata: &str, data: &str) -> String {
        format!("0 {} thin-pool {metadata} {data} {}", self.length.get(), self.arguments)
    }

    /// The size of a data block, which is the first of the arguments.
    pub(super) fn block(&self) -> Option<Sectors> {
        self.arguments.split(' ').next()?.parse().ok().map(Sectors)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_is_kept_to_the_letter_behind_its_devices() {
        let line = "0 209715200 thin-pool 7:1 7:0 128 32768 1 skip_block_zeroing ";
        let shape = Shape::of_line(line).expect("a pool's table");
        assert_eq!(shape.length, Sectors(209_715_200));
        assert_eq!(shape.arguments, "128 32768 1 skip_block_zeroing");
        assert_eq!(shape.block(), Some(Sectors(128)));
        assert_eq!(shape.table("7:1", "7:0"), line.trim_end());
        assert!(Shape::of_line("0 8 linear 8:0 0 1 2").is_none());
    }
}
