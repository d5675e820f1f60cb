#include "store/side_files.hpp"

#include <algorithm>
#include <array>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/crc32c.hpp"
#include "base/log.hpp"
#include "store/file_open.hpp"

namespace store {
namespace {

using Fault = std::optional<std::string>;

// By what a file can be known again; its number may be given out anew when it is removed, but not
// with the same time of birth (0 where the file system knows none). Of a device: only which one it
// is.
struct FileFacts {
  std::uint64_t device = 0, inode = 0, born_ns = 0, size = 0, modified_ns = 0, changed_ns = 0;

  bool operator==(const FileFacts&) const = default;
};

std::uint64_t nanoseconds(const statx_timestamp& time) {
  return static_cast<std::uint64_t>(time.tv_sec) * 1'000'000'000 +
         static_cast<std::uint64_t>(time.tv_nsec);
}

FileFacts facts_of(const std::string& path) {
  struct statx facts {};
  const auto number = [](std::uint32_t major, std::uint32_t minor) {
    return std::uint64_t{major} << 32 | minor;
  };
  if (::statx(AT_FDCWD, path.c_str(), 0, STATX_BASIC_STATS | STATX_BTIME, &facts) != 0) return {};
  if (S_ISBLK(facts.stx_mode)) return {number(facts.stx_rdev_major, facts.stx_rdev_minor)};
  return {number(facts.stx_dev_major, facts.stx_dev_minor),
          facts.stx_ino,
          nanoseconds(facts.stx_btime),
          facts.stx_size,
          nanoseconds(facts.stx_mtime),
          nanoseconds(facts.stx_ctime)};
}

// Device numbers may be given out anew when the machine starts.
bool is_same(const FileFacts& then, const FileFacts& now, bool same_boot, bool untouched) {
  if (then.inode != now.inode || then.born_ns != now.born_ns) return false;
  if (same_boot && then.device != now.device) return false;
  return !untouched || (then.size == now.size && then.modified_ns == now.modified_ns &&
                        then.changed_ns == now.changed_ns);
}

enum class State : std::uint8_t { in_use = 1, ended_well = 2 };

struct Header {
  std::string unit, boot;
  std::uint32_t chunk_bytes = 0;
  State state = State::in_use;
  FileFacts data, side;
};

constexpr std::string_view magic = "copymgr saved chunks 1";
constexpr std::size_t unit_at = 32, unit_bytes_max = 64, boot_at = 96, chunk_bytes_at = 160,
                      state_at = 164, data_at = 168, side_at = 216, checksum_at = 264;
using HeaderBytes = std::array<std::uint8_t, SideJournal::header_bytes>;

constexpr std::array fact_fields{&FileFacts::device,      &FileFacts::inode,
                                 &FileFacts::born_ns,     &FileFacts::size,
                                 &FileFacts::modified_ns, &FileFacts::changed_ns};

void encode(const FileFacts& facts, base::ByteSpan out) {
  for (std::size_t i = 0; i < fact_fields.size(); ++i)
    base::store_be64(out, i * 8, facts.*fact_fields[i]);
}

FileFacts decode_facts(base::ByteView bytes) {
  FileFacts out;
  for (std::size_t i = 0; i < fact_fields.size(); ++i)
    out.*fact_fields[i] = base::load_be64(bytes, i * 8);
  return out;
}

auto checksum(const HeaderBytes& bytes) {
  base::Crc32c crc;
  crc.update(base::ByteView(bytes).first(checksum_at));
  return crc.digest();
}

HeaderBytes encode(const Header& header) {
  HeaderBytes out{};
  std::copy(magic.begin(), magic.end(), out.begin());
  std::copy_n(header.unit.begin(), std::min(header.unit.size(), unit_bytes_max),
              out.begin() + unit_at);
  std::copy(header.boot.begin(), header.boot.end(), out.begin() + boot_at);
  base::store_be32(out, chunk_bytes_at, header.chunk_bytes);
  out[state_at] = static_cast<std::uint8_t>(header.state);
  encode(header.data, base::ByteSpan(out).subspan(data_at));
  encode(header.side, base::ByteSpan(out).subspan(side_at));
  const auto sum = checksum(out);
  std::copy(sum.begin(), sum.end(), out.begin() + checksum_at);
  return out;
}

std::string text_in(const HeaderBytes& bytes, std::size_t at, std::size_t length) {
  const auto text = base::as_text(base::ByteView(bytes).subspan(at, length));
  return std::string(text.substr(0, text.find('\0')));
}

std::optional<Header> decode(const HeaderBytes& bytes) {
  const auto sum = checksum(bytes);
  if (text_in(bytes, 0, unit_at) != magic ||
      !std::equal(sum.begin(), sum.end(), bytes.begin() + checksum_at)) {
    return std::nullopt;
  }
  Header out;
  out.unit = text_in(bytes, unit_at, unit_bytes_max);
  out.boot = text_in(bytes, boot_at, boot_identifier_bytes_max + 1);
  out.chunk_bytes = base::load_be32(bytes, chunk_bytes_at);
  out.state = static_cast<State>(bytes[state_at]);
  out.data = decode_facts(base::ByteView(bytes).subspan(data_at));
  out.side = decode_facts(base::ByteView(bytes).subspan(side_at));
  return out;
}

// Why what a process left cannot be trusted; nullopt: it can.
Fault fault_of(const Header& then, const Header& now, bool data_is_read_only) {
  if (then.unit != now.unit) return "they belong to another unit";
  if (then.chunk_bytes != now.chunk_bytes) return "their chunks have another size";
  const bool same_boot = !then.boot.empty() && then.boot == now.boot;
  const bool ended_well = then.state == State::ended_well;
  if (!ended_well && !same_boot) return "the machine has stopped while the unit was in use";
  if (!is_same(then.side, now.side, same_boot, ended_well)) return "they were changed";
  if (now.side.size < then.side.size) return "they were cut off";
  if (!is_same(then.data, now.data, same_boot, ended_well || data_is_read_only)) {
    return "the file of the unit was changed, or is another one";
  }
  return std::nullopt;
}

Header header_now(const SideFileOptions& options, State state) {
  return {options.keeping.unit,        options.boot,          options.chunk_bytes, state,
          facts_of(options.data_path), facts_of(options.path)};
}

StoreResult<> write_header(Store& medium, const SideFileOptions& options, State state,
                           bool on_medium) {
  const HeaderBytes bytes = encode(header_now(options, state));
  auto done = medium.write(base::ByteOffset(0), bytes, Durability::cached);
  return done && on_medium ? medium.flush() : done;
}

std::string journal_path(const std::string& path) {
  return path + "-journal";
}

FileOpened open_or_make(const std::string& path, base::ByteCount size) {
  FileOptions options;
  options.path = path;
  options.size = size;
  options.any_size = true;
  options.transient = true;  // the header has the boot that it belongs to
  return open_regular_file(options);
}

// What may go on being used, or why not; neither: there is nothing.
struct Left {
  std::unique_ptr<SideJournal> journal;
  Fault fault;
};
Left open_left(const SideFileOptions& options, std::unique_ptr<FileStore>& medium) {
  HeaderBytes bytes{};
  if (medium->size().value < bytes.size()) return {};
  if (const auto read = medium->read(base::ByteOffset(0), bytes); !read) {
    return {nullptr, to_text(read.error())};
  }
  if (bytes == HeaderBytes{}) return {};
  const auto header = decode(bytes);
  if (!header) return {nullptr, "the header of their journal is damaged"};
  const Header now = header_now(options, State::in_use);
  if (auto fault = fault_of(*header, now, options.data_is_read_only)) return {nullptr, fault};
  auto journal = SideJournal::open(std::move(medium), options.keeping.first_sequence);
  if (!journal) return {nullptr, "their journal: " + journal.error()};
  return {std::move(*journal), std::nullopt};
}

base::Result<std::unique_ptr<SideJournal>, std::string> make_journal(
    std::unique_ptr<FileStore> medium, FileStore& side, const SideFileOptions& options,
    base::ByteCount journal_size) {
  for (const auto& [store, size] :
       {std::pair<FileStore*, base::ByteCount>{medium.get(), journal_size},
        {&side, options.size}}) {
    auto emptied = store->resize(base::ByteCount(0));
    if (emptied) emptied = store->resize(size);
    if (!emptied) {
      return base::fail(
          fmt::format("cannot make {}: {}", store->describe(), to_text(emptied.error())));
    }
  }
  return SideJournal::open(std::move(medium), options.keeping.first_sequence);
}

StoreResult<> grow(Store& store, base::ByteCount size) {
  return store.size() < size ? store.resize(size) : StoreResult<>();
}

// What stands on the medium must never say "ended well" while the unit is in use. A file that is
// new has never said it there, so nobody waits for the medium then: a thousand units would.
void set_owner(SideJournal& journal, const SideFileOptions& options, bool is_new) {
  Store& medium = journal.medium();
  journal.set_owner(
      {options.path,
       [&medium, options, is_new] { return write_header(medium, options, State::in_use, !is_new); },
       [&medium, options] {
         // All it tells before it says so.
         if (auto flushed = medium.flush(); !flushed) return flushed;
         return write_header(medium, options, State::ended_well, true);
       },
       // The journal first: without it the other file is nothing.
       [path = options.path] {
         ::unlink(journal_path(path).c_str());
         ::unlink(path.c_str());
       }});
}

}  // namespace

base::Result<SideFiles, std::string> open_side_files(const SideFileOptions& options) {
  const std::uint64_t slots = options.size.value / options.chunk_bytes;
  const base::ByteCount journal_size = SideJournal::bytes_for(slots);
  const bool is_new = ::access(journal_path(options.path).c_str(), F_OK) != 0;
  auto medium = open_or_make(journal_path(options.path), journal_size);
  if (!medium) return base::fail(std::move(medium.error()));
  auto side = open_or_make(options.path, options.size);
  if (!side) return base::fail(std::move(side.error()));
  Left left = open_left(options, *medium);
  if (left.journal != nullptr &&
      (!grow(left.journal->medium(), journal_size) || !grow(**side, options.size))) {
    return base::fail(fmt::format("there is no room to make {} larger", options.path));
  }
  if (left.fault) {
    base::log::warning("{}: {}; tokens of the unit are cancelled", options.path, *left.fault);
    // A damaged journal has been taken along.
    if (*medium == nullptr) medium = open_or_make(journal_path(options.path), journal_size);
    if (!medium) return base::fail(std::move(medium.error()));
  }
  if (left.journal == nullptr) {
    auto made = make_journal(std::move(*medium), **side, options, journal_size);
    if (!made) return base::fail(std::move(made.error()));
    left.journal = std::move(*made);
  }
  set_owner(*left.journal, options, is_new);
  return SideFiles{std::move(*side), std::move(left.journal)};
}

void remove_side_files(const std::string& path) {
  FileOptions options;
  options.path = journal_path(path);
  options.any_size = true;
  // Locked while it is in use.
  if (const auto journal = open_regular_file(options); journal) ::unlink(options.path.c_str());
  options.path = path;
  if (const auto side = open_regular_file(options); side) ::unlink(options.path.c_str());
}

}  // namespace store
