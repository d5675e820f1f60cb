// A database file: transactions that survive kill -9, and loss of power as well unless their user
// says otherwise, once they are committed.
// Only this room knows SQLite. Errors are one line for a person.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.hpp"
#include "base/result.hpp"

namespace base {

// One prepared command with its parameters and, while it runs, one row. Not thread-safe; its
// Database outlives it.
class Statement {
 public:
  Statement(Statement&& other) noexcept;
  Statement& operator=(Statement&&) = delete;
  ~Statement();

  // Parameters count from 1, columns from 0. Text and bytes are copied.
  Statement& bind(int parameter, std::int64_t value);
  Statement& bind(int parameter, std::string_view text);
  Statement& bind_bytes(int parameter, ByteView bytes);
  Statement& bind_null(int parameter);

  // True: there is a row, which the columns below read. False: done, ready to run again with
  // other parameters.
  Result<bool, std::string> step();
  std::int64_t integer(int column) const;
  std::string text(int column) const;
  std::vector<std::uint8_t> bytes(int column) const;
  bool is_null(int column) const;

 private:
  friend class Database;
  struct Handle;
  explicit Statement(std::unique_ptr<Handle> handle);
  std::unique_ptr<Handle> handle_;
};

// Not thread-safe.
class Database {
 public:
  // Opens or makes the file: write-ahead log, every commit on the medium before it returns.
  static Result<Database, std::string> open(const std::string& path);
  Database(Database&& other) noexcept;
  Database& operator=(Database&&) = delete;
  ~Database();

  // What a commit survives from now on. Power loss: the default. The process: cheaper by the wait
  // for the medium; after a loss of power the newest of them may be missing, the others are whole.
  enum class Commits { survive_power_loss, survive_the_process };
  Result<void, std::string> set_commits(Commits commits);
  // By default the log is moved into the file now and then by whichever commit comes; after this
  // only when it is asked for, which waits for the medium.
  Result<void, std::string> checkpoint_by_hand();
  Result<void, std::string> checkpoint();

  // One or more commands without parameters or rows.
  Result<void, std::string> run(const std::string& commands);
  Result<Statement, std::string> prepare(std::string_view command);

 private:
  struct Handle;
  explicit Database(std::unique_ptr<Handle> handle);
  std::unique_ptr<Handle> handle_;
};

// Everything between its making and commit() happens, or nothing: undone when it goes uncommitted.
class Transaction {
 public:
  static Result<Transaction, std::string> begin(Database& database);
  Transaction(Transaction&& other) noexcept : database_(other.database_) {
    other.database_ = nullptr;
  }
  Transaction& operator=(Transaction&&) = delete;
  ~Transaction();

  // Durable when it returns.
  Result<void, std::string> commit();

 private:
  explicit Transaction(Database& database) : database_(&database) {}
  Database* database_;
};

}  // namespace base
