// Databases: what is committed is there for the next who opens the file, what is not is gone.
#include "base/database.hpp"

#include <catch2/catch.hpp>

#include "tests/support/temp_dir.hpp"

using base::Database;
using base::Transaction;

namespace {

struct Folder : test::TempDir {
  std::string file() const { return path("test.db"); }
};

std::int64_t count(Database& database) {
  auto query = database.prepare("SELECT count(*) FROM t");
  REQUIRE(query);
  REQUIRE(query->step().value());
  return query->integer(0);
}

}  // namespace

TEST_CASE("values of every kind come back as they were bound, after the file was opened again") {
  Folder folder;
  const std::string text("nul \0 and \xc3\xbc", 12);
  {
    auto database = Database::open(folder.file());
    REQUIRE(database);
    REQUIRE(database->run("CREATE TABLE t (a INTEGER, b TEXT, c INTEGER)"));
    auto insert = database->prepare("INSERT INTO t VALUES (?, ?, ?)");
    REQUIRE(insert);
    for (const std::int64_t value : {INT64_MIN, std::int64_t{-1}, std::int64_t{0}, INT64_MAX}) {
      insert->bind(1, value).bind(2, text).bind_null(3);
      CHECK_FALSE(insert->step().value());
    }
  }
  auto database = Database::open(folder.file());
  REQUIRE(database);
  auto query = database->prepare("SELECT a, b, c FROM t ORDER BY a");
  REQUIRE(query);
  for (const std::int64_t value : {INT64_MIN, std::int64_t{-1}, std::int64_t{0}, INT64_MAX}) {
    REQUIRE(query->step().value());
    CHECK(query->integer(0) == value);
    CHECK(query->text(1) == text);
    CHECK(query->is_null(2));
    CHECK_FALSE(query->is_null(0));
  }
  CHECK_FALSE(query->step().value());
  // Done, and ready again.
  CHECK(query->step().value());
}

TEST_CASE("a transaction happens whole or not at all") {
  Folder folder;
  auto database = Database::open(folder.file());
  REQUIRE(database);
  REQUIRE(database->run("CREATE TABLE t (a INTEGER PRIMARY KEY)"));
  {
    auto transaction = Transaction::begin(*database);
    REQUIRE(transaction);
    REQUIRE(database->run("INSERT INTO t VALUES (1); INSERT INTO t VALUES (2)"));
    CHECK(count(*database) == 2);
  }
  CHECK(count(*database) == 0);
  {
    auto transaction = Transaction::begin(*database);
    REQUIRE(transaction);
    REQUIRE(database->run("INSERT INTO t VALUES (1)"));
    CHECK_FALSE(Transaction::begin(*database));  // one at a time
    REQUIRE(transaction->commit());
  }
  CHECK(count(*database) == 1);
  auto second = Database::open(folder.file());
  REQUIRE(second);
  CHECK(count(*second) == 1);
}

TEST_CASE("faults are told in words, and the database lives on") {
  Folder folder;
  CHECK_FALSE(Database::open(folder.path() + "/no/such/folder/x.db"));
  auto database = Database::open(folder.file());
  REQUIRE(database);
  REQUIRE(database->run("CREATE TABLE t (a INTEGER PRIMARY KEY)"));
  const auto unknown = database->prepare("SELECT a FROM nowhere");
  REQUIRE_FALSE(unknown);
  CHECK(unknown.error() == "no such table: nowhere");
  CHECK_FALSE(database->run("no command"));
  auto insert = database->prepare("INSERT INTO t VALUES (?)");
  REQUIRE(insert);
  CHECK(insert->bind(1, 5).step());
  const auto twice = insert->bind(1, 5).step();
  REQUIRE_FALSE(twice);
  CHECK(twice.error().find("UNIQUE") != std::string::npos);
  CHECK_FALSE(insert->bind(9, 5).step());  // no such parameter
  CHECK(insert->bind(1, 6).step());
  CHECK(count(*database) == 2);
}

TEST_CASE("a file that is no database is refused when it is opened") {
  Folder folder;
  {
    FILE* file = std::fopen(folder.file().c_str(), "w");
    REQUIRE(file != nullptr);
    for (int i = 0; i < 1000; ++i)
      std::fputs("this is no database ", file);
    std::fclose(file);
  }
  CHECK_FALSE(Database::open(folder.file()));
}
