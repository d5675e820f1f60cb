// What every store shares: the text of an error, and the run-to-completion forms of stores that
// have none.
#include "store/store.hpp"

#include <system_error>

#include <fmt/format.h>

namespace store {
namespace {

std::string_view kind_text(StoreError::Kind kind) {
  switch (kind) {
    case StoreError::Kind::would_block:
      return "would have to wait";
    case StoreError::Kind::out_of_range:
      return "out of range";
    case StoreError::Kind::no_space:
      return "no space left";
    case StoreError::Kind::no_space_yet:
      return "no space left yet";
    case StoreError::Kind::read_failed:
      return "read failed";
    case StoreError::Kind::write_failed:
      return "write failed";
    case StoreError::Kind::not_supported:
      return "not supported";
    case StoreError::Kind::protection_failed:
      return "protection information does not match";
  }
  return "unknown error";
}

}  // namespace

std::string to_text(const StoreError& error) {
  if (error.system_error == 0) return std::string(kind_text(error.kind));
  return fmt::format("{}: {}", kind_text(error.kind),
                     std::generic_category().message(error.system_error));
}

StoreResult<> Store::resize(base::ByteCount) {
  return base::fail(StoreError{StoreError::Kind::not_supported});
}

StoreResult<> Store::try_read(base::ByteOffset, base::ByteSpan) {
  return base::fail(StoreError{StoreError::Kind::would_block});
}

StoreResult<> Store::try_write(base::ByteOffset, base::ByteView) {
  return base::fail(StoreError{StoreError::Kind::would_block});
}

bool Store::start_read(Ring&, base::ByteOffset, base::ByteSpan, Done&) {
  return false;
}

std::optional<base::ByteView> Store::lend(base::Extent) {
  return std::nullopt;
}

Store::Run Store::first_run(base::Extent extent) {
  return {extent.length, false};
}

bool Store::is_hole(base::Extent extent) {
  const Run run = first_run(extent);
  return run.hole && run.length == extent.length;
}

}  // namespace store
