//! A folder that holds everything of one node.

use std::{
    fs::{File, TryLockError},
    path::{Path, PathBuf},
};

use crate::{
    Error, Result,
    clock::{Ids, SystemIds},
};

/// The data directory, locked against a second process as long as this lives.
#[derive(Debug)]
pub struct DataDir {
    path: PathBuf,
    _lock: File,
}

impl DataDir {
    /// Opens the folder, making it when it does not exist.
    ///
    /// # Errors
    /// `data_dir_in_use` when another process has it open, `io_error`.
    pub fn open(path: &Path) -> Result<Self> {
        let failed = |error| Error::io(format!("opening the data directory `{}`", path.display()), error);
        std::fs::create_dir_all(path).map_err(failed)?;
        let lock = File::options()
            .create(true)
            .truncate(false)
            .write(true)
            .open(path.join("lock"))
            .map_err(failed)?;
        match lock.try_lock() {
            Ok(()) => Ok(Self { path: path.to_owned(), _lock: lock }),
            Err(TryLockError::WouldBlock) => Err(Error::conflict(
                "data_dir_in_use",
                format!("the data directory `{}` is used by another autorig", path.display()),
                "stop the other one or choose another directory with --data",
            )),
            Err(TryLockError::Error(error)) => Err(failed(error)),
        }
    }

    /// The database's file.
    pub fn database(&self) -> PathBuf {
        self.path.join("autorig.db")
    }

    /// The folder of uploads and results.
    pub fn blobs(&self) -> PathBuf {
        self.path.join("blobs")
    }

    /// This node's name, made at the first opening and the same ever after.
    ///
    /// # Errors
    /// `io_error`.
    pub fn node(&self) -> Result<String> {
        let path = self.path.join("node");
        let failed = |error| Error::io(format!("the node's name in `{}`", path.display()), error);
        match std::fs::read_to_string(&path) {
            Ok(name) if !name.trim().is_empty() => Ok(name.trim().to_owned()),
            Ok(_) => self.name_node(&path).map_err(failed),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                self.name_node(&path).map_err(failed)
            }
            Err(error) => Err(failed(error)),
        }
    }

    fn name_node(&self, path: &Path) -> std::io::Result<String> {
        let name = SystemIds.id().to_string();
        let temporary = self.path.join("node.tmp");
        std::fs::write(&temporary, &name)?;
        std::fs::rename(temporary, path)?;
        Ok(name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_opening_is_refused_until_the_first_is_closed() {
        let folder = tempfile::tempdir().unwrap();
        let first = DataDir::open(folder.path()).unwrap();
        assert_eq!(DataDir::open(folder.path()).unwrap_err().code, "data_dir_in_use");
        drop(first);
        DataDir::open(folder.path()).unwrap();
    }

    #[test]
    fn the_node_keeps_its_name() {
        let folder = tempfile::tempdir().unwrap();
        let name = DataDir::open(folder.path()).unwrap().node().unwrap();
        assert_eq!(DataDir::open(folder.path()).unwrap().node().unwrap(), name);
    }
}
