// What the state directory keeps once and for all: the array's identifier and the key of its
// tokens.
#include "target/admin/state_directory.hpp"

#include <fstream>

#include <catch2/catch.hpp>
#include <sys/stat.h>

#include "tests/support/temp_dir.hpp"

using namespace admin;

namespace {

unsigned mode_of(const std::string& path) {
  struct stat found {};
  return ::stat(path.c_str(), &found) == 0 ? found.st_mode & 0777 : 0;
}

}  // namespace

TEST_CASE("the key of the tokens: made once, for its user alone, the same ever after") {
  const test::TempDir folder;
  base::SystemRandomness randomness;
  tokens::TokenKey first{};
  {
    const auto directory = StateDirectory::open(folder.path());
    REQUIRE(directory);
    first = directory->token_key(randomness).value();
    CHECK(mode_of(folder.path() + "/token-key") == 0600);
    CHECK(directory->array_identifier(randomness).value() ==
          directory->array_identifier(randomness).value());
  }
  const auto again = StateDirectory::open(folder.path());
  REQUIRE(again);
  CHECK(again->token_key(randomness).value() == first);
  const test::TempDir other;
  CHECK(StateDirectory::open(other.path())->token_key(randomness).value() != first);
}

TEST_CASE("a key that was cut short is refused, not made anew") {
  const test::TempDir folder;
  base::SystemRandomness randomness;
  std::ofstream(folder.path() + "/token-key") << "short";
  const auto directory = StateDirectory::open(folder.path());
  REQUIRE(directory);
  const auto key = directory->token_key(randomness);
  REQUIRE_FALSE(key);
  CHECK(key.error().find("token-key does not hold 32 bytes") != std::string::npos);
}

TEST_CASE("without a state directory each process has a key of its own") {
  base::SystemRandomness randomness;
  const auto a = StateDirectory::open("")->token_key(randomness);
  const auto b = StateDirectory::open("")->token_key(randomness);
  CHECK(a.value() != b.value());
}
