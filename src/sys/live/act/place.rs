//! Puts a file in its place: whole or not at all, still there after a power failure, and never
//! over a file that somebody else wrote.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use nix::fcntl::OFlag;

use crate::sys::write::{Acted, NewFile};
use crate::text::Printable;

/// What is there already.
enum There {
    Nothing,
    Ours,
}

/// Writes it beside its place, then moves it there.
pub(super) fn place(file: &NewFile) -> Acted {
    let at = Path::new(&file.path);
    let shown = Printable::from_text(&file.path);
    let refused = |why: String| Acted::Refused { why };
    let there = match there(at, &file.mark) {
        Ok(there) => there,
        Err(why) => return refused(format!("{shown} {why}: it was left as it is")),
    };
    let Some(beside) = beside(at) else {
        return refused(format!("{shown} is no path of a file"));
    };
    let moved = write(&beside, &file.text).and_then(|()| match there {
        There::Ours => fs::rename(&beside, at),
        // fails where somebody was faster; a rename would overwrite theirs
        There::Nothing => fs::hard_link(&beside, at),
    });
    let _ = fs::remove_file(&beside);
    match moved.and_then(|()| sync_folder(at)) {
        Ok(()) => Acted::Done,
        Err(error) => Acted::Failed { why: format!("{shown} cannot be written: {error}") },
    }
}

/// Whether it may be written; why not, in words that follow its name.
fn there(at: &Path, mark: &str) -> Result<There, String> {
    match fs::symlink_metadata(at) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(There::Nothing),
        Err(error) => return Err(format!("cannot be looked at ({error})")),
        Ok(seen) if !seen.is_file() => return Err("is there and is no file".to_owned()),
        Ok(_) => {}
    }
    let flags = (OFlag::O_NOFOLLOW | OFlag::O_NOCTTY | OFlag::O_NONBLOCK).bits();
    let mut head = Vec::new();
    let limit = u64::try_from(mark.len()).unwrap_or(0);
    let read = OpenOptions::new().read(true).custom_flags(flags).open(at);
    read.and_then(|file| file.take(limit).read_to_end(&mut head))
        .map_err(|error| format!("cannot be read ({error})"))?;
    if !mark.is_empty() && head == mark.as_bytes() {
        Ok(There::Ours)
    } else {
        Err("was written by somebody else".to_owned())
    }
}

/// A name in the same folder that nothing reads.
fn beside(at: &Path) -> Option<PathBuf> {
    let name = at.file_name()?.to_str()?;
    at.is_absolute().then(|| at.with_file_name(format!(".{name}.new")))
}

fn write(beside: &Path, text: &str) -> io::Result<()> {
    match fs::remove_file(beside) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let flags = (OFlag::O_NOFOLLOW | OFlag::O_NOCTTY).bits();
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o644)
        .custom_flags(flags)
        .open(beside)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()
}

fn sync_folder(at: &Path) -> io::Result<()> {
    at.parent().map_or(Ok(()), |folder| File::open(folder)?.sync_all())
}

#[cfg(test)]
mod tests {
    use super::*;

    const MARK: &str = "# Written by us";

    fn folder(name: &str) -> PathBuf {
        let folder = std::env::temp_dir().join(format!("place-{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder).expect("a folder for the test");
        folder
    }

    fn file(at: &Path, text: &str) -> NewFile {
        let path = at.to_str().expect("a path of text").to_owned();
        NewFile { path, text: text.to_owned(), mark: MARK.to_owned() }
    }

    #[test]
    fn a_file_is_written_whole_and_ours_is_replaced() {
        let folder = folder("ours");
        let at = folder.join("a.service");
        for text in ["# Written by us\none\n", "# Written by us\ntwo\n"] {
            assert_eq!(place(&file(&at, text)), Acted::Done);
            assert_eq!(fs::read_to_string(&at).expect("it is there"), text);
        }
        let left = fs::read_dir(&folder).expect("the folder").count();
        assert_eq!(left, 1, "nothing is left beside it");
        let _ = fs::remove_dir_all(&folder);
    }

    #[test]
    fn what_somebody_else_wrote_is_left_as_it_is() {
        let folder = folder("theirs");
        let at = folder.join("a.service");
        fs::write(&at, "# Written by hand\n").expect("their file");
        let Acted::Refused { why } = place(&file(&at, "# Written by us\n")) else {
            panic!("it is refused")
        };
        assert!(why.contains("somebody else"), "{why}");
        assert_eq!(fs::read_to_string(&at).expect("it is there"), "# Written by hand\n");
        let _ = fs::remove_dir_all(&folder);
    }

    #[test]
    fn a_link_is_not_followed() {
        let folder = folder("link");
        let (at, target) = (folder.join("a.service"), folder.join("target"));
        fs::write(&target, "# Written by us\n").expect("a file elsewhere");
        std::os::unix::fs::symlink(&target, &at).expect("a link");
        assert!(matches!(place(&file(&at, "# Written by us\nnew\n")), Acted::Refused { .. }));
        assert_eq!(fs::read_to_string(&target).expect("it is there"), "# Written by us\n");
        let _ = fs::remove_dir_all(&folder);
    }
}
