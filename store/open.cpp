// The scheme table, and putting a guard over what a row opens.
#include "store/open.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <filesystem>

#include <fmt/format.h>

#include "store/counted_store.hpp"
#include "store/file_open.hpp"
#include "store/memory_store.hpp"
#include "store/null_store.hpp"
#include "store/protection_file.hpp"
#include "store/remembered_holes.hpp"
#include "store/schemes.hpp"
#include "store/side_files.hpp"
#include "store/thick_store.hpp"

namespace store {
namespace {

using Opened = Scheme::Opened;

template <class Result>
Opened upcast(Result result) {
  if (!result) return base::fail(std::move(result.error()));
  return std::unique_ptr<Store>(std::move(*result));
}

FileOptions file_options(const StoreSpec& spec) {
  const bool allocate = !spec.provisioning.thin && !spec.read_only;
  return {spec.path, spec.size,      spec.block_length, spec.direct,
          allocate,  spec.read_only, spec.sizes_since};
}

base::Result<base::ByteCount, std::string> whole_blocks(const StoreSpec& spec) {
  const base::BlockCount blocks = spec.block_length.whole_blocks(spec.size);
  if (blocks.value == 0) {
    return base::fail(
        fmt::format("{} store of {} bytes is less than one block of {}; choose a larger size",
                    spec.scheme, spec.size.value, spec.block_length.bytes));
  }
  return spec.block_length.to_bytes(blocks);
}

Opened open_file(const StoreSpec& spec) {
  return upcast(open_regular_file(file_options(spec)));
}

Opened open_block(const StoreSpec& spec) {
  return upcast(open_block_device(file_options(spec)));
}

Opened open_memory(const StoreSpec& spec) {
  const auto size = whole_blocks(spec);
  if (!size) return base::fail(size.error());
  return upcast(MemoryStore::open(*size));
}

Opened open_null(const StoreSpec& spec) {
  const auto size = whole_blocks(spec);
  if (!size) return base::fail(size.error());
  return std::make_unique<NullStore>(*size);
}

Opened side_beside(const StoreSpec& spec, const std::string& directory, base::ByteCount size) {
  return upcast(open_side_file(spec.path, directory, size));
}

Opened side_in_directory(const StoreSpec&, const std::string& directory, base::ByteCount size) {
  return upcast(open_side_file("", directory, size));
}

Opened side_in_memory(const StoreSpec&, const std::string&, base::ByteCount size) {
  return upcast(MemoryStore::open(size));
}

// Others may serve a read-only file too.
std::string kept_beside(const StoreSpec& spec, const std::string& directory,
                        const std::string& unit) {
  if (spec.read_only) return fmt::format("{}/{}.side", directory, unit);
  std::error_code ignored;
  const std::filesystem::path real = std::filesystem::weakly_canonical(spec.path, ignored);
  return (real.empty() ? spec.path : real.string()) + ".side";
}

std::string kept_in_directory(const StoreSpec&, const std::string& directory,
                              const std::string& unit) {
  return fmt::format("{}/{}.side", directory, unit);
}

std::string kept_nowhere(const StoreSpec&, const std::string&, const std::string&) {
  return "";
}

std::string protection_beside(const StoreSpec& spec, const std::string&) {
  return spec.path + ".pi";
}

// "/dev/disk/by-id/x" is kept in "dev_disk_by-id_x.pi".
std::string protection_in_directory(const StoreSpec& spec, const std::string& directory) {
  std::string name = spec.path.substr(std::min(spec.path.size(), spec.path.find_first_not_of('/')));
  std::replace(name.begin(), name.end(), '/', '_');
  return fmt::format("{}/{}.pi", directory, name);
}

std::string protection_in_memory(const StoreSpec&, const std::string&) {
  return "";
}

constexpr std::array table{
    Scheme{"file", "file:/srv/a.img,size=10G", true, true, open_file, side_beside, kept_beside,
           protection_beside},
    Scheme{"block", "block:/dev/sdb", true, false, open_block, side_in_directory, kept_in_directory,
           protection_in_directory},
    Scheme{"memory", "memory:256M", false, true, open_memory, side_in_memory, kept_nowhere,
           protection_in_memory},
    Scheme{"null", "null:1T", false, false, open_null, side_in_memory, kept_nowhere,
           protection_in_memory},
};

// Of a store that ends with the process.
Opened protect_in_memory(const Scheme& scheme, const StoreSpec& spec, std::unique_ptr<Store> data) {
  StoreSpec beside = spec;
  beside.size = base::ByteCount(spec.block_length.whole_blocks(data->size()).value * tuple_bytes);
  beside.block_length = base::BlockLength{tuple_bytes};
  Opened tuples = scheme.open(beside);
  if (!tuples) return tuples;
  return std::make_unique<ProtectedStore>(std::move(data), TupleArea{std::move(*tuples), {}},
                                          ProtectionFormat{spec.protection, spec.block_length});
}

Opened protect(const Scheme& scheme, const StoreSpec& spec, const std::string& directory,
               std::unique_ptr<Store> data) {
  const std::string path = scheme.protection_path(spec, directory);
  if (spec.protection == ProtectionType::none) {
    const auto line = spec.read_only ? std::nullopt : protection_left_behind(path);
    if (line) return base::fail(*line);
    return data;
  }
  if (path.empty()) return protect_in_memory(scheme, spec, std::move(data));
  return open_protected(std::move(data), {spec.protection, spec.block_length}, path,
                        {!spec.provisioning.thin, spec.read_only});
}

constexpr std::uint32_t chunk_bytes_min = 4096;

// The filter that keeps to `with` over what a row opened.
Opened provisioned(std::unique_ptr<Store> store, const Scheme& scheme, const Provisioning& with) {
  if (!with.thin) return std::make_unique<ThickStore>(std::move(store));
  const bool can_remember = !scheme.tells_holes && store->file().has_value();
  if (!with.counted && can_remember) return std::make_unique<RememberedHoles>(std::move(store));
  if (!with.counted) return store;
  if (!scheme.tells_holes) {
    return base::fail(fmt::format(
        "{}: the room that it takes cannot be counted; file and memory stores can be bounded",
        store->describe()));
  }
  return std::make_unique<CountedStore>(std::move(store), with.bound, with.wait_when_full);
}

base::Result<SideFiles, std::string> open_kept_side(const Scheme& scheme, const StoreSpec& spec,
                                                    const std::string& directory,
                                                    const SideFileOptions& options) {
  SideFileOptions with = options;
  with.path = scheme.kept_side_path(spec, directory, options.keeping.unit);
  auto beside = open_side_files(with);
  if (beside) return beside;
  with.path = kept_in_directory(spec, directory, options.keeping.unit);
  return open_side_files(with);
}

}  // namespace

std::span<const Scheme> schemes() {
  return table;
}

const Scheme* find_scheme(std::string_view name) {
  const auto row = std::find_if(table.begin(), table.end(),
                                [name](const Scheme& scheme) { return scheme.name == name; });
  return row == table.end() ? nullptr : &*row;
}

base::Result<std::unique_ptr<Guard>, std::string> open_guarded(
    const StoreSpec& spec, const std::string& side_directory, const GuardSettings& settings,
    const std::optional<Keeping>& keeping) {
  const Scheme* const scheme = find_scheme(spec.scheme);
  if (scheme == nullptr) return base::fail(fmt::format("there is no {} store", spec.scheme));
  if (settings.chunk_bytes < chunk_bytes_min || !std::has_single_bit(settings.chunk_bytes)) {
    return base::fail(fmt::format("a chunk of {} bytes is not possible; use a power of two from {}",
                                  settings.chunk_bytes, chunk_bytes_min));
  }
  Opened inner = scheme->open(spec);
  if (inner) inner = provisioned(std::move(*inner), *scheme, spec.provisioning);
  if (!inner) return base::fail(std::move(inner.error()));
  inner = protect(*scheme, spec, side_directory, std::move(*inner));
  if (!inner) return base::fail(std::move(inner.error()));
  // One chunk at least: an empty file or mapping is no store. The guard keeps to side_bytes_max
  // itself.
  const base::ByteCount side_bytes(
      std::max<std::uint64_t>(settings.side_bytes_max.value, settings.chunk_bytes));
  if (keeping && !scheme->kept_side_path(spec, side_directory, keeping->unit).empty()) {
    auto kept = open_kept_side(*scheme, spec, side_directory,
                               {.keeping = *keeping,
                                .data_path = spec.path,
                                .data_is_read_only = spec.read_only,
                                .chunk_bytes = settings.chunk_bytes,
                                .size = side_bytes});
    if (!kept) return base::fail(std::move(kept.error()));
    return std::make_unique<Guard>(std::move(*inner), std::move(kept->side), settings,
                                   std::move(kept->journal));
  }
  Opened side = scheme->open_side(spec, side_directory, side_bytes);
  if (!side) return base::fail(std::move(side.error()));
  return std::make_unique<Guard>(std::move(*inner), std::move(*side), settings);
}

}  // namespace store
