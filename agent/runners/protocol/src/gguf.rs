//! Opening a GGUF file, and refusing what is none.

use std::fs::File;
use std::io::{BufReader, Error, Read, Seek};

use crate::EngineError;

const MAGIC: &[u8; 4] = b"GGUF";

/// Open a file that begins as GGUF files do, at its beginning. The error leaves the path to the caller.
///
/// # Errors
///
/// It cannot be read, or is no GGUF file.
pub fn open_gguf(path: &str) -> Result<BufReader<File>, EngineError> {
    let unreadable = |error: Error| EngineError::new(format!("cannot be read: {error}"));
    let mut reader = BufReader::new(File::open(path).map_err(unreadable)?);
    let mut magic = Vec::new();
    reader.by_ref().take(MAGIC.len() as u64).read_to_end(&mut magic).map_err(unreadable)?;
    reader.rewind().map_err(unreadable)?;
    if magic == MAGIC {
        return Ok(reader);
    }
    let begin = String::from_utf8_lossy(&magic);
    Err(EngineError::new(format!("no GGUF file: it begins with {begin:?}, not with \"GGUF\"")))
}
