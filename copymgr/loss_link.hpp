// The way from a lost snapshot to its token: the guard tells it from a writing thread, perhaps
// before the token has an identifier, perhaps after the copy manager has gone. Each side may come
// first.
#pragma once

#include <memory>
#include <mutex>
#include <optional>
#include <shared_mutex>

#include "tokens/token_table.hpp"

namespace copymgr {

// The token table for as long as it can be reached. Closing waits for those inside.
class TableDoor {
 public:
  explicit TableDoor(tokens::TokenTable& table) : table_(&table) {}

  void cancel(std::uint64_t identifier) {
    const std::shared_lock lock(mutex_);
    if (table_ != nullptr) table_->cancel(identifier);
  }
  void close() {
    const std::unique_lock lock(mutex_);
    table_ = nullptr;
  }

 private:
  std::shared_mutex mutex_;
  tokens::TokenTable* table_;
};

class LossLink {
 public:
  explicit LossLink(std::shared_ptr<TableDoor> door) : door_(std::move(door)) {}

  void lost() {
    if (const auto identifier = note([this] { lost_ = true; })) door_->cancel(*identifier);
  }
  void issued(std::uint64_t identifier) {
    if (note([this, identifier] { identifier_ = identifier; })) door_->cancel(identifier);
  }

 private:
  // The identifier once both sides have come, which is true for the second of them only.
  template <class Change>
  std::optional<std::uint64_t> note(Change change) {
    const std::scoped_lock lock(mutex_);
    change();
    return lost_ ? identifier_ : std::nullopt;
  }

  const std::shared_ptr<TableDoor> door_;
  std::mutex mutex_;
  bool lost_ = false;
  std::optional<std::uint64_t> identifier_;
};

}  // namespace copymgr
