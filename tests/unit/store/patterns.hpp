// Bytes to write and compare, and stores to write them to.
#pragma once

#include <cstdint>
#include <memory>
#include <random>
#include <vector>

#include "store/file_open.hpp"
#include "store/guard.hpp"
#include "store/memory_store.hpp"
#include "store/null_store.hpp"

namespace test {

using Bytes = std::vector<std::uint8_t>;
using base::ByteCount;
using base::ByteOffset;
using base::Extent;

constexpr std::uint64_t KiB = 1024;
constexpr std::uint64_t MiB = 1024 * KiB;

inline Extent extent(std::uint64_t offset, std::uint64_t length) {
  return {ByteOffset(offset), ByteCount(length)};
}

inline Bytes filled(std::size_t size, std::uint8_t value) {
  return Bytes(size, value);
}

inline Bytes noise(std::size_t size, std::uint64_t seed) {
  std::mt19937_64 random(seed);
  Bytes bytes(size);
  for (auto& byte : bytes)
    byte = static_cast<std::uint8_t>(random());
  return bytes;
}

inline Bytes read(store::Store& from, std::uint64_t at, std::size_t size) {
  Bytes bytes(size, 0xEE);
  if (!from.read(ByteOffset(at), bytes)) bytes.clear();
  return bytes;
}

inline bool write(store::Store& to, std::uint64_t at, const Bytes& bytes) {
  return to.write(ByteOffset(at), bytes, store::Durability::cached).has_value();
}

inline std::unique_ptr<store::Store> memory(std::uint64_t size) {
  return store::MemoryStore::open(ByteCount(size)).value();
}

inline std::unique_ptr<store::FileStore> file(const std::string& path, std::uint64_t size,
                                              bool direct = false) {
  return store::open_regular_file({path, ByteCount(size), base::BlockLength{4096}, direct}).value();
}

// The bytes a snapshot holds; empty when it cannot tell.
inline Bytes read(store::Snapshot& from, Extent what) {
  Bytes bytes(what.length.value, 0xEE);
  std::size_t done = 0;
  const auto result = from.visit(what, [&](store::Piece piece, ByteCount length) {
    const base::ByteSpan into = base::ByteSpan(bytes).subspan(done, length.value);
    done += length.value;
    return piece.store->read(piece.at, into);
  });
  if (!result || done != bytes.size()) bytes.clear();
  return bytes;
}

}  // namespace test
