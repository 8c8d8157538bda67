//! How much of a file is in memory already.

use std::fs::File;
use std::io;
use std::num::NonZeroUsize;
use std::os::unix::fs::MetadataExt;

use nix::libc;
use nix::sys::mman::{MapFlags, ProtFlags, mmap, munmap};
use nix::unistd::{AccessFlags, SysconfVar, access, geteuid, sysconf};

/// Share of the file's pages that are in the page cache, by mincore(2); `None` where the kernel does not tell.
///
/// Linux calls every page of a file resident that the caller could not write to, so such a file has no answer.
pub fn page_cache_ratio(path: &str) -> io::Result<Option<f64>> {
    let file = File::open(path)?;
    let facts = file.metadata()?;
    let Some(length) = NonZeroUsize::new(facts.len() as usize).filter(|_| facts.is_file()) else {
        return Ok(None);
    };
    if facts.uid() != geteuid().as_raw() && access(path, AccessFlags::W_OK).is_err() {
        return Ok(None);
    }
    let page_bytes = sysconf(SysconfVar::PAGE_SIZE)?.expect("every system has a page size") as usize;
    let mut pages = vec![0_u8; length.get().div_ceil(page_bytes)];
    // SAFETY: a fresh mapping, which nothing reads or writes through, and which is given back below.
    let mapping = unsafe { mmap(None, length, ProtFlags::PROT_READ, MapFlags::MAP_PRIVATE, &file, 0) }?;
    // SAFETY: the mapping is `length` long, and `pages` has a byte for each of its pages. Its type differs: c_char
    // on macOS, c_uchar on Linux.
    let failed = unsafe { libc::mincore(mapping.as_ptr(), length.get(), pages.as_mut_ptr().cast()) };
    let error = io::Error::last_os_error();
    // SAFETY: nothing points into it.
    unsafe { munmap(mapping, length.get()) }?;
    if failed != 0 {
        return Err(error);
    }
    let resident = pages.iter().filter(|status| *status & 1 == 1).count();
    #[expect(clippy::cast_precision_loss, reason = "a model has fewer than 2^52 pages")]
    Ok(Some(resident as f64 / pages.len() as f64))
}

#[cfg(test)]
mod tests {
    use super::page_cache_ratio;

    #[test]
    fn what_was_just_written_is_cached() {
        let path = std::env::temp_dir().join(format!("edgeprof-page-cache-{}", std::process::id()));
        std::fs::write(&path, vec![1; 100_000]).unwrap();
        let ratio = page_cache_ratio(path.to_str().unwrap()).unwrap();
        std::fs::write(&path, "").unwrap();
        let nothing = page_cache_ratio(path.to_str().unwrap()).unwrap();
        std::fs::remove_file(&path).unwrap();
        assert_eq!((ratio, nothing), (Some(1.0), None));
    }

    #[test]
    fn a_folder_has_no_answer() {
        assert_eq!(page_cache_ratio("/").unwrap(), None);
    }
}
