// The scheme table: one row a kind of store that a specification can name. The rows are in
// open.cpp.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "store/open.hpp"

namespace store {

struct Scheme {
  using Opened = base::Result<std::unique_ptr<Store>, std::string>;

  std::string_view name;
  std::string_view example;
  bool takes_path;   // what follows the colon is a path; else it is the size
  bool tells_holes;  // what is data in it, so that its room can be counted
  Opened (*open)(const StoreSpec& spec);
  // The store for saved chunks, of `size` bytes.
  Opened (*open_side)(const StoreSpec& spec, const std::string& side_directory,
                      base::ByteCount size);
  // What the names of files for saved chunks that outlive the process begin with; empty: the store
  // itself does not.
  std::string (*kept_side_path)(const StoreSpec& spec, const std::string& side_directory,
                                const std::string& unit);
  // Where protection information is kept; an empty path: in a store of the same kind that ends with
  // the process.
  std::string (*protection_path)(const StoreSpec& spec, const std::string& side_directory);
};

std::span<const Scheme> schemes();
// Nullptr when there is none of this name.
const Scheme* find_scheme(std::string_view name);

}  // namespace store
