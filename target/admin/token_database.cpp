#include "target/admin/token_database.hpp"

#include <algorithm>
#include <array>
#include <filesystem>

#include <fmt/format.h>

#include "base/log.hpp"

namespace admin {
namespace {

using base::fail;
using tokens::TokenFault;

// Identifiers have 64 bits, stored as the signed integer of the same bits. Times are nanoseconds,
// moments nanoseconds since 1970; `at` is when a token was made, last used, or died.
constexpr const char* schema = R"(
  CREATE TABLE IF NOT EXISTS tokens (
    identifier INTEGER PRIMARY KEY,
    bytes BLOB NOT NULL,
    rod BLOB NOT NULL,
    timeout INTEGER NOT NULL,
    lifetime INTEGER NOT NULL,  -- 0: no limit
    made_at INTEGER NOT NULL,
    at INTEGER NOT NULL,
    death INTEGER  -- why; NULL: it lives
  );
  CREATE TABLE IF NOT EXISTS numbers (name TEXT PRIMARY KEY, value INTEGER NOT NULL);
  CREATE TABLE IF NOT EXISTS side_files (path TEXT PRIMARY KEY);
)";

// What one process may give out: no process lives that long.
constexpr std::uint64_t identifiers_of_a_process = std::uint64_t{1} << 40;
// The log is moved into the file when there is nothing else to do, or at last after so many notes
// (about 64 MiB).
constexpr std::size_t notes_logged_max = 16384;
constexpr auto idle_time = std::chrono::milliseconds(500);

std::int64_t as_integer(std::uint64_t bits) {
  return static_cast<std::int64_t>(bits);
}

// The reasons why tokens die, by the additional sense code qualifiers that they are told with.
struct Death {
  TokenFault reason;
  std::int64_t number;
};
constexpr std::array deaths{Death{TokenFault::revoked, 6}, Death{TokenFault::expired, 7},
                            Death{TokenFault::cancelled, 8}, Death{TokenFault::deleted, 9}};

std::int64_t number_of(TokenFault reason) {
  const auto* const found = std::find_if(
      deaths.begin(), deaths.end(), [reason](const Death& each) { return each.reason == reason; });
  return found == deaths.end() ? 0 : found->number;
}

// Nullopt for a number that is none.
std::optional<TokenFault> death_of(std::int64_t number) {
  const auto* const found = std::find_if(
      deaths.begin(), deaths.end(), [number](const Death& each) { return each.number == number; });
  return found == deaths.end() ? std::nullopt : std::optional(found->reason);
}

// Reads every row of a statement; `take` gets each.
template <class Take>
base::Result<void, std::string> for_each_row(base::Statement& statement, Take take) {
  for (;;) {
    const auto row = statement.step();
    if (!row) return fail(row.error());
    if (!*row) return {};
    take(statement);
  }
}

// Of a row that makes no sense: nullopt.
std::optional<tokens::KeptToken> token_in(const base::Statement& row, base::Duration now) {
  tokens::KeptToken out;
  const auto bytes = row.bytes(0);
  if (bytes.size() != out.bytes.size()) return std::nullopt;
  std::copy(bytes.begin(), bytes.end(), out.bytes.begin());
  out.rod = row.bytes(1);
  out.timeout = base::Duration(row.integer(2));
  out.age = std::max(base::Duration(0), now - base::Duration(row.integer(3)));
  out.lifetime = base::Duration(row.integer(5));
  out.life = std::max(out.age, now - base::Duration(row.integer(6)));
  if (row.is_null(4)) return out;
  out.death = death_of(row.integer(4));
  return out.death ? std::optional(std::move(out)) : std::nullopt;
}

// A log without its file is nothing to SQLite; the file goes last.
constexpr std::array files_of_a_database{"-wal", "-shm", ""};

void put_aside(const std::string& path) {
  std::error_code ignored;
  for (const char* const end : files_of_a_database)
    std::filesystem::rename(path + end, path + ".damaged" + end, ignored);
}

base::Result<void, std::string> done(base::Result<bool, std::string> stepped) {
  if (!stepped) return fail(std::move(stepped.error()));
  return {};
}

base::Result<std::vector<std::string>, std::string> side_files_in(base::Database& database) {
  auto list = database.prepare("SELECT path FROM side_files");
  if (!list) return fail(list.error());
  std::vector<std::string> out;
  const auto read =
      for_each_row(*list, [&out](const base::Statement& row) { out.push_back(row.text(0)); });
  if (!read) return fail(read.error());
  return out;
}

}  // namespace

struct TokenDatabase::Statements {
  base::Statement create, use, end, forget;

  static base::Result<std::unique_ptr<Statements>, std::string> prepare(base::Database& database) {
    auto create =
        database.prepare("INSERT OR REPLACE INTO tokens VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?6, NULL)");
    auto use = database.prepare("UPDATE tokens SET at = ?2 WHERE identifier = ?1");
    auto end =
        database.prepare("UPDATE tokens SET at = ?2, death = ?3, rod = x'' WHERE identifier = ?1");
    auto forget = database.prepare("DELETE FROM tokens WHERE identifier = ?1");
    for (const auto* each : {&create, &use, &end, &forget}) {
      if (!*each) return fail(each->error());
    }
    return std::unique_ptr<Statements>(
        new Statements{std::move(*create), std::move(*use), std::move(*end), std::move(*forget)});
  }
};

base::Result<std::unique_ptr<TokenDatabase>, std::string> TokenDatabase::open(
    const std::string& path, const base::WallClock& clock) {
  auto opened = open_sound(path, clock);
  if (opened || !std::filesystem::exists(path)) return opened;
  base::log::warning("{}; it is put aside as {}.damaged, and tokens made before are unknown",
                     opened.error(), path);
  put_aside(path);
  return open_sound(path, clock);
}

base::Result<std::unique_ptr<TokenDatabase>, std::string> TokenDatabase::open_sound(
    const std::string& path, const base::WallClock& clock) {
  const auto cannot = [&path](const std::string& why) {
    return fail(fmt::format("cannot use {}: {}", path, why));
  };
  auto database = base::Database::open(path);
  if (!database) return fail(database.error());
  if (const auto made = database->run(schema); !made) return cannot(made.error());
  auto check = database->prepare("PRAGMA quick_check(1)");
  if (!check) return cannot(check.error());
  if (const auto row = check->step(); !row || !*row || check->text(0) != "ok") {
    return cannot("it is damaged");
  }
  if (const auto set = database->checkpoint_by_hand(); !set) return cannot(set.error());
  auto statements = Statements::prepare(*database);
  if (!statements) return cannot(statements.error());
  return std::unique_ptr<TokenDatabase>(
      new TokenDatabase(std::move(*database), std::move(*statements), clock));
}

TokenDatabase::TokenDatabase(base::Database database, std::unique_ptr<Statements> statements,
                             const base::WallClock& clock)
    : clock_(clock), database_(std::move(database)), statements_(std::move(statements)) {}

TokenDatabase::~TokenDatabase() {
  if (thread_.joinable()) {
    {
      const std::scoped_lock lock(mutex_);
      stopping_ = true;
    }
    noted_.notify_one();
    thread_.join();
  }
  statements_.reset();
  checkpoint();
}

std::vector<tokens::KeptToken> TokenDatabase::load() {
  std::vector<tokens::KeptToken> out;
  const base::Duration now = clock_.since_1970();
  auto list = database_.prepare(
      "SELECT bytes, rod, timeout, at, death, lifetime, made_at FROM tokens ORDER BY at");
  base::Result<void, std::string> read;
  std::size_t senseless = 0;
  if (list) {
    read = for_each_row(*list, [&](const base::Statement& row) {
      if (auto token = token_in(row, now)) {
        out.push_back(std::move(*token));
      } else {
        ++senseless;
      }
    });
  } else {
    read = fail(list.error());
  }
  if (!read) base::log::warning("tokens could not all be read: {}", read.error());
  if (senseless != 0) base::log::warning("{} tokens make no sense: they are unknown", senseless);
  return out;
}

// The only commit that a loss of power must not take: identifiers never come twice.
std::uint64_t TokenDatabase::first_identifier(std::uint64_t proposed) {
  auto find = database_.prepare("SELECT value FROM numbers WHERE name = 'next_identifier'");
  auto put = database_.prepare("INSERT OR REPLACE INTO numbers VALUES ('next_identifier', ?)");
  if (!find || !put) return proposed;
  if (const auto row = find->step(); row && *row) {
    proposed = static_cast<std::uint64_t>(find->integer(0));
    static_cast<void>(find->step());
  }
  const auto kept = put->bind(1, as_integer(proposed + identifiers_of_a_process)).step();
  if (!kept) base::log::error("token identifiers cannot be kept: {}", kept.error());
  // From here on.
  if (const auto set = database_.set_commits(base::Database::Commits::survive_the_process); !set) {
    base::log::warning("tokens are kept slowly: {}", set.error());
  }
  return proposed;
}

base::Result<std::vector<std::string>, std::string> TokenDatabase::replace_side_files(
    const std::vector<std::string>& paths) {
  auto before = side_files_in(database_);
  if (!before) return before;
  auto transaction = base::Transaction::begin(database_);
  if (!transaction) return fail(transaction.error());
  if (const auto gone = database_.run("DELETE FROM side_files"); !gone) return fail(gone.error());
  {
    auto add = database_.prepare("INSERT OR REPLACE INTO side_files VALUES (?)");
    if (!add) return fail(add.error());
    for (const std::string& path : paths) {
      if (const auto added = add->bind(1, path).step(); !added) return fail(added.error());
    }
  }
  if (const auto committed = transaction->commit(); !committed) return fail(committed.error());
  return before;
}

void TokenDatabase::created(const tokens::KeptToken& token) {
  Note taken{Note::Kind::created, scsi::identifier_of(token.bytes)};
  taken.token = token;
  note(std::move(taken));
}

void TokenDatabase::used(std::uint64_t identifier) {
  note({Note::Kind::used, identifier});
}

void TokenDatabase::ended(std::uint64_t identifier, TokenFault reason) {
  Note taken{Note::Kind::ended, identifier};
  taken.reason = reason;
  note(std::move(taken));
}

void TokenDatabase::forgotten(std::uint64_t identifier) {
  note({Note::Kind::forgotten, identifier});
}

void TokenDatabase::note(Note note) {
  note.at = clock_.since_1970();
  {
    const std::scoped_lock lock(mutex_);
    if (!thread_.joinable()) thread_ = std::thread([this] { serve(); });
    notes_.push_back(std::move(note));
    // It looks by itself when it has written.
    if (std::exchange(writing_, true)) return;
  }
  noted_.notify_one();
}

void TokenDatabase::when_kept(Kept done) {
  bool kept = true;
  {
    const std::scoped_lock lock(mutex_);
    kept = writing_ || healthy_;
    if (writing_) {
      Note waiting{Note::Kind::when_kept};
      waiting.done = std::move(done);
      notes_.push_back(std::move(waiting));
      return;
    }
  }
  done(kept);
}

void TokenDatabase::serve() {
  for (;;) {
    std::vector<Note> notes;
    {
      std::unique_lock lock(mutex_);
      writing_ = !notes_.empty();
      const auto wanted = [this] { return stopping_ || !notes_.empty(); };
      if (written_ != 0) {
        noted_.wait_for(lock, idle_time, wanted);
      } else {
        noted_.wait(lock, wanted);
      }
      if (stopping_ && notes_.empty()) return;
      notes.swap(notes_);
    }
    if (notes.empty()) {
      checkpoint();
    } else {
      keep(notes);
    }
  }
}

// Who asks may ask of notes of the time before: one that could not be kept never will be, and to
// write nothing says nothing.
void TokenDatabase::keep(std::vector<Note>& notes) {
  const auto asks = [](const Note& each) { return each.kind == Note::Kind::when_kept; };
  const bool kept_before = healthy_;
  if (!std::all_of(notes.begin(), notes.end(), asks)) keep_written(notes);
  for (Note& each : notes) {
    if (asks(each)) std::exchange(each.done, {})(kept_before && healthy_);
  }
  if (written_ >= notes_logged_max) checkpoint();
}

void TokenDatabase::keep_written(const std::vector<Note>& notes) {
  const Done written = write(notes);
  if (!written && healthy_) {
    base::log::error("tokens cannot be kept, and no new ones are given out: {}", written.error());
  } else if (written && !healthy_) {
    base::log::info("tokens can be kept again");
  }
  healthy_ = written.has_value();
}

TokenDatabase::Done TokenDatabase::write(const std::vector<Note>& notes) {
  auto transaction = base::Transaction::begin(database_);
  if (!transaction) return fail(transaction.error());
  for (const Note& each : notes) {
    if (auto wrote = write(each); !wrote) return wrote;
  }
  written_ += notes.size();
  return transaction->commit();
}

TokenDatabase::Done TokenDatabase::write(const Note& note) {
  const std::int64_t identifier = as_integer(note.identifier);
  const std::int64_t at = note.at.count();
  Statements& s = *statements_;
  switch (note.kind) {
    case Note::Kind::created:
      s.create.bind(1, identifier).bind_bytes(2, note.token.bytes).bind_bytes(3, note.token.rod);
      s.create.bind(4, note.token.timeout.count()).bind(5, note.token.lifetime.count());
      return done(s.create.bind(6, at).step());
    case Note::Kind::used:
      return done(s.use.bind(1, identifier).bind(2, at).step());
    case Note::Kind::ended:
      s.end.bind(1, identifier).bind(2, at).bind(3, number_of(note.reason));
      return done(s.end.step());
    case Note::Kind::forgotten:
      return done(s.forget.bind(1, identifier).step());
    case Note::Kind::when_kept:
      return {};
  }
  return {};
}

void TokenDatabase::checkpoint() {
  written_ = 0;
  if (const auto moved = database_.checkpoint(); !moved) {
    base::log::warning("the log of tokens stays long: {}", moved.error());
  }
}

std::vector<std::string> forget_tokens(const std::string& path) {
  std::vector<std::string> side_files;
  if (!std::filesystem::exists(path)) return side_files;
  if (auto database = base::Database::open(path); database) {
    if (auto found = side_files_in(*database)) side_files = std::move(*found);
  }
  std::error_code ignored;
  for (const char* const end : files_of_a_database)
    std::filesystem::remove(path + end, ignored);
  return side_files;
}

}  // namespace admin
