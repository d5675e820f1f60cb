// The two files in which saved chunks outlive the process: PATH holds the chunks, PATH-journal what
// they are (side_journal.hpp), behind a header that tells whose they are, whether the last process
// ended well, and by what the files can be known again.
//
// Trusted after a restart is only what must still be true: the same unit, the same files; and if
// the last process did not end well, the same start of the machine, since what was in its cache may
// be gone with it. After a clean end nobody may have changed the file of the unit since. (Whether
// somebody did so after a kill -9 cannot be known: the unit itself had been writing.)
#pragma once

#include <memory>
#include <string>

#include "store/boot_identifier.hpp"
#include "store/open.hpp"
#include "store/side_journal.hpp"

namespace store {

struct SideFileOptions {
  std::string path;
  Keeping keeping;
  std::string data_path;           // of the unit's file or device
  bool data_is_read_only = false;  // to us: nobody changed it, or it is another
  std::uint32_t chunk_bytes = 0;
  base::ByteCount size;  // of the file of saved chunks, sparse; it may be longer
  std::string boot = boot_identifier();
};

struct SideFiles {
  std::unique_ptr<Store> side;
  std::unique_ptr<SideJournal> journal;
};

// Opens or makes both, locked for this process. What cannot be trusted is emptied, which one line
// in the log tells. The error is one line for a person: they cannot be made.
base::Result<SideFiles, std::string> open_side_files(const SideFileOptions& options);

// Of a unit that is not served any more; files that a process has open are left alone.
void remove_side_files(const std::string& path);

}  // namespace store
