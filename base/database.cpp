#include "base/database.hpp"

#include <fmt/format.h>
#include <sqlite3.h>

#include "base/log.hpp"

namespace base {

struct Database::Handle {
  sqlite3* connection = nullptr;

  ~Handle() { sqlite3_close(connection); }
  std::string fault() const { return sqlite3_errmsg(connection); }
};

struct Statement::Handle {
  sqlite3_stmt* statement = nullptr;
  // A parameter that could not be bound is told by the next step.
  int bound = SQLITE_OK;

  ~Handle() { sqlite3_finalize(statement); }
  void note(int code) {
    if (code != SQLITE_OK) bound = code;
  }
};

Statement::Statement(std::unique_ptr<Handle> handle) : handle_(std::move(handle)) {}
Statement::Statement(Statement&& other) noexcept = default;
Statement::~Statement() = default;

Statement& Statement::bind(int parameter, std::int64_t value) {
  handle_->note(sqlite3_bind_int64(handle_->statement, parameter, value));
  return *this;
}

Statement& Statement::bind(int parameter, std::string_view text) {
  handle_->note(sqlite3_bind_text64(handle_->statement, parameter, text.data(), text.size(),
                                    SQLITE_TRANSIENT, SQLITE_UTF8));
  return *this;
}

Statement& Statement::bind_bytes(int parameter, ByteView bytes) {
  // An empty one is not NULL.
  const void* const at = bytes.empty() ? static_cast<const void*>("") : bytes.data();
  handle_->note(
      sqlite3_bind_blob64(handle_->statement, parameter, at, bytes.size(), SQLITE_TRANSIENT));
  return *this;
}

Statement& Statement::bind_null(int parameter) {
  handle_->note(sqlite3_bind_null(handle_->statement, parameter));
  return *this;
}

Result<bool, std::string> Statement::step() {
  const int bound = std::exchange(handle_->bound, SQLITE_OK);
  if (bound != SQLITE_OK) return fail(std::string(sqlite3_errstr(bound)));
  const int code = sqlite3_step(handle_->statement);
  if (code == SQLITE_ROW) return true;
  std::string fault;
  if (code != SQLITE_DONE) fault = sqlite3_errmsg(sqlite3_db_handle(handle_->statement));
  sqlite3_reset(handle_->statement);
  if (code != SQLITE_DONE) return fail(std::move(fault));
  return false;
}

std::int64_t Statement::integer(int column) const {
  return sqlite3_column_int64(handle_->statement, column);
}

std::string Statement::text(int column) const {
  const auto* at = sqlite3_column_text(handle_->statement, column);
  const auto size = static_cast<std::size_t>(sqlite3_column_bytes(handle_->statement, column));
  return at == nullptr ? std::string() : std::string(reinterpret_cast<const char*>(at), size);
}

std::vector<std::uint8_t> Statement::bytes(int column) const {
  const auto* at =
      static_cast<const std::uint8_t*>(sqlite3_column_blob(handle_->statement, column));
  const auto size = static_cast<std::size_t>(sqlite3_column_bytes(handle_->statement, column));
  return at == nullptr ? std::vector<std::uint8_t>() : std::vector<std::uint8_t>(at, at + size);
}

bool Statement::is_null(int column) const {
  return sqlite3_column_type(handle_->statement, column) == SQLITE_NULL;
}

Database::Database(std::unique_ptr<Handle> handle) : handle_(std::move(handle)) {}
Database::Database(Database&& other) noexcept = default;
Database::~Database() = default;

Result<Database, std::string> Database::open(const std::string& path) {
  auto handle = std::make_unique<Handle>();
  const int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX;
  if (sqlite3_open_v2(path.c_str(), &handle->connection, flags, nullptr) != SQLITE_OK) {
    return fail(fmt::format("cannot open {}: {}", path, handle->fault()));
  }
  Database out(std::move(handle));
  const auto ready =
      out.run("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON;");
  if (!ready) return fail(fmt::format("cannot use {}: {}", path, ready.error()));
  return out;
}

Result<void, std::string> Database::run(const std::string& commands) {
  if (sqlite3_exec(handle_->connection, commands.c_str(), nullptr, nullptr, nullptr) != SQLITE_OK) {
    return fail(handle_->fault());
  }
  return {};
}

Result<void, std::string> Database::set_commits(Commits commits) {
  return run(commits == Commits::survive_power_loss ? "PRAGMA synchronous = FULL"
                                                    : "PRAGMA synchronous = NORMAL");
}

Result<void, std::string> Database::checkpoint_by_hand() {
  return run("PRAGMA wal_autocheckpoint = 0");
}

Result<void, std::string> Database::checkpoint() {
  return run("PRAGMA wal_checkpoint(PASSIVE)");
}

Result<Statement, std::string> Database::prepare(std::string_view command) {
  auto statement = std::make_unique<Statement::Handle>();
  if (sqlite3_prepare_v2(handle_->connection, command.data(), static_cast<int>(command.size()),
                         &statement->statement, nullptr) != SQLITE_OK) {
    return fail(handle_->fault());
  }
  return Statement(std::move(statement));
}

Result<Transaction, std::string> Transaction::begin(Database& database) {
  if (auto begun = database.run("BEGIN IMMEDIATE"); !begun) return fail(begun.error());
  return Transaction(database);
}

Result<void, std::string> Transaction::commit() {
  auto committed = database_->run("COMMIT");
  if (committed) database_ = nullptr;
  return committed;
}

Transaction::~Transaction() {
  if (database_ == nullptr) return;
  // After some faults SQLite has rolled back already; then there is nothing to undo.
  if (const auto undone = database_->run("ROLLBACK"); !undone) {
    log::debug("rollback: {}", undone.error());
  }
}

}  // namespace base
