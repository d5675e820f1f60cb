// CHAP: the golden responses come from Python's hashlib over identifier, secret, challenge.
#include "target/iscsi/chap.hpp"

#include <algorithm>

#include <catch2/catch.hpp>

#include "target/iscsi/binary_value.hpp"

namespace {

using iscsi::KeyValues;
using iscsi::LoginStatus;
using Bytes = std::vector<std::uint8_t>;

// Counts up from 0, then stays: challenge 00..1f, identifier 7.
class KnownRandomness final : public base::Randomness {
 public:
  void fill(base::ByteSpan out) override {
    if (out.size() == 1) {
      out[0] = 7;
      return;
    }
    for (std::size_t i = 0; i < out.size(); ++i)
      out[i] = static_cast<std::uint8_t>(i);
  }
};

const char* const md5_response = "0x15106132c87d5a91bb06995a9e9584b7";
const char* const own_challenge =
    "0x000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";

struct Exchange {
  explicit Exchange(bool mutual = false) {
    account.initiators = {{"host1", "initiator-secret"}, {"host2", "another-secret-2"}};
    if (mutual) account.target = iscsi::ChapAccount{"array", "target-secret-01"};
  }
  LoginStatus say(const KeyValues& keys) {
    answers.clear();
    return chap.receive(keys, answers);
  }
  // Up to the challenge.
  void agree_on(const std::string& algorithms) {
    REQUIRE(say({{"CHAP_A", algorithms}}) == LoginStatus::success);
  }

  iscsi::Authentication account;
  KnownRandomness randomness;
  iscsi::ChapExchange chap{account, "iqn.a:1", randomness};
  KeyValues answers;
};

}  // namespace

TEST_CASE("CHAP responses are what an independent implementation computes") {
  Bytes challenge(32);
  for (std::size_t i = 0; i < challenge.size(); ++i)
    challenge[i] = static_cast<std::uint8_t>(i);
  const auto response = [&](std::uint64_t number) {
    return iscsi::encode_binary(
        iscsi::chap_response(*iscsi::chap_algorithm(number), 7, "initiator-secret", challenge));
  };
  CHECK(response(5) == md5_response);
  CHECK(response(6) == "0xb6baeae94e802a27ee548406e14f3aa07a45efc7");
  CHECK(response(7) == "0xf2e3d82fbf1f755e5268963c838d2d6d87b5365f355731e242f0aa22d84d9f85");
  CHECK(response(8) == "0xf69a3152b58b6e5b429982c9af1fac87ce15163b4fc05a358f510bf344d4e4fc");
}

TEST_CASE("the strongest CHAP algorithm that both know is chosen, whatever the order") {
  CHECK(iscsi::choose_chap_algorithm("5") == 5u);
  CHECK(iscsi::choose_chap_algorithm("5,7,6") == 7u);
  CHECK(iscsi::choose_chap_algorithm("8,5") == 8u);
  CHECK(iscsi::choose_chap_algorithm("5,99") == 5u);
  CHECK_FALSE(iscsi::choose_chap_algorithm("99"));
  CHECK_FALSE(iscsi::choose_chap_algorithm(""));
}

TEST_CASE("the challenge carries algorithm, identifier and 32 bytes") {
  Exchange exchange;
  exchange.agree_on("5,7");
  CHECK(exchange.answers == KeyValues{{"CHAP_A", "7"}, {"CHAP_I", "7"}, {"CHAP_C", own_challenge}});
  CHECK_FALSE(exchange.chap.proven());
}

TEST_CASE("a right response in hexadecimal or Base64 proves the account") {
  for (const char* response : {md5_response, "0bFRBhMsh9WpG7BplanpWEtw=="}) {
    Exchange exchange;
    exchange.agree_on("5");
    CHECK(exchange.say({{"CHAP_N", "host1"}, {"CHAP_R", response}}) == LoginStatus::success);
    CHECK(exchange.chap.proven());
    CHECK(exchange.chap.name() == "host1");
    CHECK(exchange.answers.empty());
  }
}

TEST_CASE("every other response is refused") {
  const KeyValues wrong[] = {
      {{"CHAP_N", "host1"}, {"CHAP_R", "0x15106132c87d5a91bb06995a9e9584b6"}},
      {{"CHAP_N", "host2"}, {"CHAP_R", md5_response}},  // right, but of another account
      {{"CHAP_N", "HOST1"}, {"CHAP_R", md5_response}},
      {{"CHAP_N", "host1"}, {"CHAP_R", "0x15106132c87d5a91bb06995a9e9584"}},
      {{"CHAP_N", "host1"}, {"CHAP_R", "0x15106132c87d5a91bb06995a9e9584b700"}},
      {{"CHAP_N", "host1"}, {"CHAP_R", "15106132c87d5a91bb06995a9e9584b7"}},
      {{"CHAP_N", "host1"}, {"CHAP_R", "0x"}},
      {{"CHAP_N", "host1"}, {"CHAP_R", ""}},
      {{"CHAP_N", "host1"}},
      {{"CHAP_R", md5_response}},
      {},
  };
  for (const KeyValues& keys : wrong) {
    Exchange exchange;
    exchange.agree_on("5");
    CHECK(exchange.say(keys) == LoginStatus::authentication_failure);
    CHECK_FALSE(exchange.chap.proven());
  }
}

TEST_CASE("without a known algorithm there is no login") {
  Exchange exchange;
  CHECK(exchange.say({{"CHAP_A", "1,2,3"}}) == LoginStatus::authentication_failure);
}

TEST_CASE("asked to, the target proves itself") {
  Exchange exchange(true);
  exchange.agree_on("5");
  CHECK(exchange.say({{"CHAP_N", "host1"},
                      {"CHAP_R", md5_response},
                      {"CHAP_I", "200"},
                      {"CHAP_C", "0xaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"}}) == LoginStatus::success);
  CHECK(exchange.answers ==
        KeyValues{{"CHAP_N", "array"}, {"CHAP_R", "0x6493c3dbe4342079cf76860a1ae5a20c"}});
}

TEST_CASE("our own challenge sent back is reflection, and refused") {
  Exchange exchange(true);
  exchange.agree_on("5");
  CHECK(exchange.say({{"CHAP_N", "host1"},
                      {"CHAP_R", md5_response},
                      {"CHAP_I", "7"},
                      {"CHAP_C", own_challenge}}) == LoginStatus::authentication_failure);
  CHECK_FALSE(exchange.chap.proven());
  CHECK(exchange.answers.empty());
}

TEST_CASE("a target without an account of its own proves nothing") {
  Exchange exchange;
  exchange.agree_on("5");
  CHECK(exchange.say({{"CHAP_N", "host1"},
                      {"CHAP_R", md5_response},
                      {"CHAP_I", "200"},
                      {"CHAP_C", "0xaaaa"}}) == LoginStatus::authentication_failure);
}

TEST_CASE("binary values are read in both forms and nothing else") {
  CHECK(iscsi::parse_binary("0x00fF", 16) == Bytes{0x00, 0xff});
  CHECK(iscsi::parse_binary("0X1ff", 16) == Bytes{0x01, 0xff});
  CHECK(iscsi::parse_binary("0bAAEC", 16) == Bytes{0, 1, 2});
  CHECK(iscsi::parse_binary("0bAAE=", 16) == Bytes{0, 1});
  CHECK(iscsi::parse_binary("0BAA==", 16) == Bytes{0});
  for (const char* bad :
       {"", "0", "0x", "0b", "0xg0", "0b====", "0bA", "0bAAE", "0bA=EC", "12", "x12"}) {
    INFO(bad);
    const auto parsed = iscsi::parse_binary(bad, 16);
    CHECK((!parsed || parsed->empty()));
  }
  CHECK_FALSE(iscsi::parse_binary("0x" + std::string(34, '0'), 16));
}

TEST_CASE("an account that is bound to initiator names serves no other initiator") {
  for (const char* glob : {"", "iqn.a:*", "iqn.a:1", "iqn.b:*", "iqn.a:2"}) {
    INFO(glob);
    Exchange exchange;
    exchange.account.initiators.front().initiators = glob;
    const std::string_view bound(glob);
    const bool serves = bound.empty() || bound == "iqn.a:*" || bound == "iqn.a:1";
    exchange.agree_on("5");
    const auto status = exchange.say({{"CHAP_N", "host1"}, {"CHAP_R", md5_response}});
    CHECK((status == LoginStatus::success) == serves);
  }
}

TEST_CASE("secrets that are derived from the name: both directions, and names that have none") {
  Exchange exchange;
  exchange.account = {};
  exchange.account.derived_target_name = "west";
  exchange.account.derive =
      [](const std::string& name) -> std::optional<iscsi::Authentication::Derived> {
    if (name == "nobody") return std::nullopt;
    return iscsi::Authentication::Derived{"secret of " + name, "target to " + name};
  };
  CHECK(exchange.account.required());
  const KeyValues own{{"CHAP_I", "9"}, {"CHAP_C", "0xaabbccdd"}};
  std::optional<iscsi::ChapExchange> chap;
  const auto answer_as = [&](const std::string& name, const char* response) {
    chap.emplace(exchange.account, "iqn.a:1", exchange.randomness);
    exchange.answers.clear();
    REQUIRE(chap->receive({{"CHAP_A", "5"}}, exchange.answers) == LoginStatus::success);
    exchange.answers.clear();
    return chap->receive({{"CHAP_N", name}, {"CHAP_R", response}, own[0], own[1]},
                         exchange.answers);
  };
  const char* const right = "0x6c1e9fa850793a93a117c1ac05621d4c";
  CHECK(answer_as("nobody", right) == LoginStatus::authentication_failure);
  CHECK(answer_as("host8", right) == LoginStatus::authentication_failure);
  REQUIRE(answer_as("host9", right) == LoginStatus::success);
  CHECK(chap->proven());
  const auto value = [&](const char* key) {
    const std::string* found = iscsi::find_value(exchange.answers, key);
    return found == nullptr ? std::string() : *found;
  };
  CHECK(value("CHAP_N") == "west");
  CHECK(value("CHAP_R") == "0xf6c3821a59eef5deae5a96c460a9e344");
}
