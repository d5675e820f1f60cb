#include "store/protection_file.hpp"

#include <algorithm>
#include <array>
#include <fstream>
#include <vector>

#include <fmt/format.h>

#include "base/log.hpp"
#include "store/boot_identifier.hpp"
#include "store/file_open.hpp"
#include "store/thick_store.hpp"

namespace store {
namespace {

using Fault = std::optional<std::string>;

// The header: magic, type, block length, blocks, region bytes, boot identifier.
constexpr std::string_view magic = "copymgr protection information 1";
constexpr std::size_t type_at = 32, block_length_at = 36, blocks_at = 40, region_at = 48,
                      boot_at = 64, boot_bytes = boot_identifier_bytes_max + 1;
using Header = std::array<std::uint8_t, 4096>;

constexpr base::ByteOffset intents_at{4096};
constexpr base::ByteOffset tuples_at{2u << 20};
static_assert(intents_at.value + WriteIntents::room_bytes <= tuples_at.value);
constexpr base::ByteCount region_min{4u << 20};

// As large as it takes for all of them to have a mark.
base::ByteCount region_for(base::ByteCount size) {
  base::ByteCount region = region_min;
  while (size.value / region.value >= WriteIntents::regions_max)
    region += region;
  return region;
}

struct Contents {
  ProtectionFormat format;
  base::BlockCount blocks;
  base::ByteCount region;
  std::string boot;
};

Header encode(const Contents& contents) {
  Header out{};
  std::copy(magic.begin(), magic.end(), out.begin());
  out[type_at] = static_cast<std::uint8_t>(contents.format.type);
  base::store_be32(out, block_length_at, contents.format.block_length.bytes);
  base::store_be64(out, blocks_at, contents.blocks.value);
  base::store_be64(out, region_at, contents.region.value);
  std::copy(contents.boot.begin(), contents.boot.end(), out.begin() + boot_at);
  return out;
}

std::optional<Contents> decode(const Header& header) {
  const base::ByteView bytes(header);
  if (base::as_text(bytes.first(magic.size())) != magic) return std::nullopt;
  const auto boot = base::as_text(bytes.subspan(boot_at, boot_bytes));
  Contents out;
  out.format = {static_cast<ProtectionType>(header[type_at]),
                base::BlockLength{base::load_be32(bytes, block_length_at)}};
  out.blocks = base::BlockCount(base::load_be64(bytes, blocks_at));
  out.region = base::ByteCount(base::load_be64(bytes, region_at));
  out.boot = boot.substr(0, boot.find('\0'));
  return out.region.value == 0 ? std::nullopt : std::optional(out);
}

// None where there is no file, or where a crash left no header: nothing has been protected yet.
base::Result<std::optional<Contents>, std::string> read_header(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  Header header{};
  file.read(reinterpret_cast<char*>(header.data()), header.size());
  if (std::all_of(header.begin(), header.end(), [](std::uint8_t byte) { return byte == 0; })) {
    return std::nullopt;
  }
  const auto contents = decode(header);
  if (!contents) {
    return base::fail(fmt::format("{} is not protection information; move it away", path));
  }
  return contents;
}

base::ByteCount bytes_for(base::BlockCount blocks) {
  return base::ByteCount(tuples_at.value + blocks.value * tuple_bytes);
}

std::string what(const ProtectionFormat& format) {
  return fmt::format("protection={} and blocksize={}", static_cast<unsigned>(format.type),
                     format.block_length.bytes);
}

Fault fault_of(const std::optional<Contents>& found, const ProtectionFormat& format,
               const std::string& path) {
  if (!found || found->format == format) return std::nullopt;
  return fmt::format(
      "{} was made with {}, not with {}; use that, or delete the file to protect "
      "only what is written from now on",
      path, what(found->format), what(format));
}

using Opened = base::Result<std::unique_ptr<Store>, std::string>;

// The file, locked and not changed yet but for the room it takes; with room for `blocks` tuples if
// it is new.
Opened open_locked(const std::string& path, base::BlockCount blocks,
                   const ProtectionFileOptions& options) {
  FileOptions file{path, bytes_for(blocks), base::BlockLength{tuple_bytes}};
  file.allocate = options.thick && !options.read_only;
  file.read_only = options.read_only;
  file.any_size = true;
  auto opened = open_regular_file(file);
  if (!opened) return base::fail(std::move(opened.error()));
  if (options.thick) return std::make_unique<ThickStore>(std::move(*opened));
  return std::unique_ptr<Store>(std::move(*opened));
}

// Room for `blocks` tuples, what is new of it all ones (a hole, or zeros).
Fault resize(Store& file, base::BlockCount blocks, const std::string& path) {
  const auto done = file.resize(bytes_for(blocks));
  if (done) return std::nullopt;
  return fmt::format("cannot resize {}: {}", path, to_text(done.error()));
}

// Why it cannot be used as it is, over `blocks` blocks.
Fault unfit(const std::optional<Contents>& found, base::ByteCount file_size,
            base::BlockCount blocks, const std::string& path) {
  constexpr std::string_view advice =
      "open it once without readonly=on, or leave out protection= to read it unchecked";
  if (!found) return fmt::format("{} holds no protection information; {}", path, advice);
  if (found->blocks == blocks && file_size == bytes_for(blocks)) return std::nullopt;
  return fmt::format("{} does not fit: it is for {} blocks and has {} bytes, {} blocks need {}; {}",
                     path, found->blocks.value, file_size.value, blocks.value,
                     bytes_for(blocks).value, advice);
}

IntentSettings settings_for(base::ByteCount region, base::ByteCount size) {
  IntentSettings out;
  out.region = region;
  out.regions = size.value / region.value + 1;
  return out;
}

// What the last run left in doubt; nothing of it is marked any more.
Fault recover(ProtectedStore& store, Store& file, const Contents& found, const std::string& path) {
  const bool machine_stopped = found.boot.empty() || found.boot != boot_identifier();
  const base::ByteCount covered = found.format.block_length.to_bytes(found.blocks);
  store.keep_intents(intents_at, settings_for(found.region, covered));
  const auto mended = store.recover(machine_stopped);
  const auto failed = [&](const StoreError& error) {
    return fmt::format("cannot make the protection information in {} good: {}", path,
                       to_text(error));
  };
  if (!mended) return failed(mended.error());
  if (*mended != 0) {
    base::log::warning(
        "{}: {} blocks were being written at the last stop and have new protection "
        "information",
        path, *mended);
  }
  if (auto flushed = store.flush(); !flushed) return failed(flushed.error());
  const auto cleared = file.write_zeros({intents_at, base::ByteCount(WriteIntents::room_bytes)});
  if (!cleared) return failed(cleared.error());
  return std::nullopt;
}

// What the file says of itself: nothing where it says nothing.
base::Result<std::optional<Contents>, std::string> checked_header(const std::string& path,
                                                                  const ProtectionFormat& format) {
  auto header = read_header(path);
  if (!header) return header;
  if (auto line = fault_of(*header, format, path)) return base::fail(*line);
  return header;
}

// Recovers what `found` says, and starts anew with the size that the data has now.
Fault take_over(ProtectedStore& store, Store& file, const std::optional<Contents>& found,
                const std::string& path) {
  const base::ByteCount size = store.size();
  const base::BlockCount blocks = store.format().block_length.whole_blocks(size);
  if (auto line = resize(file, blocks, path)) return line;
  if (found) {
    if (auto line = recover(store, file, *found, path)) return line;
  }
  const Contents contents{store.format(), blocks, region_for(size), boot_identifier()};
  const auto written = file.write(base::ByteOffset(0), encode(contents), Durability::durable);
  if (!written) return fmt::format("cannot write {}: {}", path, to_text(written.error()));
  store.keep_intents(intents_at, settings_for(contents.region, size));
  return std::nullopt;
}

}  // namespace

base::Result<std::unique_ptr<Store>, std::string> open_protected(
    std::unique_ptr<Store> data, const ProtectionFormat& format, const std::string& path,
    const ProtectionFileOptions& options) {
  const base::BlockCount blocks = format.block_length.whole_blocks(data->size());
  // Before the file takes any room, or is created: one that cannot be used stays as it is.
  const auto before = checked_header(path, format);
  if (!before) return base::fail(before.error());
  if (options.read_only && !*before) return base::fail(*unfit(*before, {}, blocks, path));
  auto opened = open_locked(path, blocks, options);
  if (!opened) return opened;
  // From here on nobody else changes it.
  const auto found = checked_header(path, format);
  if (!found) return base::fail(found.error());
  Store& file = **opened;
  auto store = std::make_unique<ProtectedStore>(std::move(data),
                                                TupleArea{std::move(*opened), tuples_at}, format);
  const auto line = options.read_only ? unfit(*found, file.size(), blocks, path)
                                      : take_over(*store, file, *found, path);
  if (line) return base::fail(*line);
  return std::unique_ptr<Store>(std::move(store));
}

std::optional<std::string> protection_left_behind(const std::string& path) {
  if (path.empty()) return std::nullopt;
  const auto found = read_header(path);
  if (!found || !*found) return std::nullopt;  // not ours
  return fmt::format(
      "{} holds its protection information: use protection={}, or delete that file "
      "to go on without",
      path, static_cast<unsigned>((*found)->format.type));
}

}  // namespace store
