// RECEIVE ROD TOKEN INFORMATION and RECEIVE COPY STATUS(LID4): section 4.
#include "scsi/copy_results.hpp"

#include "tests/wire/golden.hpp"

namespace {

using namespace wire;
using scsi::CopyOperationStatus;
using scsi::CopyResult;

scsi::RodTokenBytes some_token() {
  scsi::RodTokenBytes out;
  for (std::size_t i = 0; i < out.size(); ++i)
    out[i] = static_cast<std::uint8_t>(i ^ 0x5a);
  return out;
}

CopyResult populated() {
  CopyResult out;
  out.response_to_service_action = 0x10;
  out.transfer_count_blocks = 0x2000;
  out.token = some_token();
  return out;
}

CopyResult failed() {
  CopyResult out;
  out.response_to_service_action = 0x11;
  out.status = CopyOperationStatus::completed_with_errors;
  out.completion_status = scsi::Status::check_condition;
  out.sense = scsi::sense::illegal_parameter({0x23, 0x04}, {16});
  return out;
}

CopyResult running() {
  CopyResult out;
  out.response_to_service_action = 0x10;
  out.status = CopyOperationStatus::in_progress_foreground;
  out.estimated_status_update_delay_ms = scsi::no_delay_estimate;
  return out;
}

Bytes with_token(const char* head) {
  Bytes out = hex(head);
  const auto token = some_token();
  return append(out, Bytes(token.begin(), token.end()));
}

const char* const populated_head =
    "00 00 02 22  10 01 00 00  FF FF FF FE  00 00 00 F1"
    "00 00 00 00  00 00 20 00  00 00 00 00  00 00 00 00"
    "00 00 02 02  00 00";
const char* const running_bytes =
    "00 00 00 20  10 11 00 00  FF FF FF FF  00 00 00 F1"
    "00 00 00 00  00 00 00 00  00 00 00 00  00 00 00 00"
    "00 00 00 00";

}  // namespace

TEST_CASE("5.7 REPORT ALL ROD TOKENS: the first 96 bytes of each, their length field as it is") {
  CHECK(scsi::encode_all_rod_tokens({}) == hex("00 00 00 04  00 00 00 00"));
  scsi::RodTokenBytes first{}, second{};
  for (std::size_t i = 0; i < first.size(); ++i)
    first[i] = static_cast<std::uint8_t>(i);
  first[6] = 0x01;
  first[7] = 0xf8;
  second[0] = 0x80;
  const Bytes data = scsi::encode_all_rod_tokens({first, second});
  REQUIRE(data.size() == 200);
  CHECK(Bytes(data.begin(), data.begin() + 8) == hex("00 00 00 C4  00 00 00 00"));
  CHECK(std::equal(data.begin() + 8, data.begin() + 104, first.begin()));
  CHECK(std::equal(data.begin() + 104, data.end(), second.begin()));
}

TEST_CASE("4.1 the worked example: POPULATE TOKEN of 2000h blocks done") {
  const Bytes expected = with_token(populated_head);
  CHECK(expected.size() == 550);
  CHECK(encode_rod_token_information(populated()) == expected);
}

TEST_CASE("4.1 the worked example: in progress, foreground, no estimate") {
  CHECK(encode_rod_token_information(running()) == hex(running_bytes));
}

TEST_CASE("4.1 sizes: POPULATE TOKEN with a token 550/546/514") {
  const Bytes data = encode_rod_token_information(populated());
  CHECK(data.size() == 550);
  CHECK(base::load_be32(data, 0) == 546);
  CHECK(base::load_be32(data, 32) == 514);
  CHECK(base::load_be16(data, 36) == 0);
}

TEST_CASE("4.1 sizes: in progress, zero tokens and WRITE USING TOKEN 36/32/0") {
  CopyResult no_token = populated();
  no_token.token.reset();
  CopyResult written = no_token;
  written.response_to_service_action = 0x11;
  for (const CopyResult& result : {running(), no_token, written}) {
    const Bytes data = encode_rod_token_information(result);
    CHECK(data.size() == 36);
    CHECK(base::load_be32(data, 0) == 32);
    CHECK(base::load_be32(data, 32) == 0);
  }
}

TEST_CASE("4.1 sizes: RECEIVE COPY STATUS(LID4) 32/28 without a descriptors length") {
  for (const CopyResult& result : {populated(), running()}) {
    const Bytes data = encode_receive_copy_status(result);
    CHECK(data.size() == 32);
    CHECK(base::load_be32(data, 0) == 28);
    CHECK(data[4] == 0x10);
    CHECK(data[15] == 0xf1);
  }
}

TEST_CASE("4.3 sense of 18 bytes stands in a field of 20") {
  const Bytes sense = hex("70 00 05 00 00 00 00 0A 00 00 00 00 23 04 00 80 00 10 00 00");
  Bytes expected =
      hex("00 00 00 34  11 02 00 00  FF FF FF FE  02 14 12 F1"
          "00 00 00 00  00 00 00 00  00 00 00 00  00 00 00 00");
  append(expected, sense);
  append(expected, hex("00 00 00 00"));
  CHECK(encode_rod_token_information(failed()) == expected);

  Bytes status(expected.begin(), expected.end() - 4);
  put(status, 0, 4, 48);
  CHECK(encode_receive_copy_status(failed()) == status);
}

TEST_CASE("4.3 a partial write: status 03h, blocks, 0D/04 with information") {
  CopyResult result = failed();
  result.status = CopyOperationStatus::completed_with_residual;
  result.transfer_count_blocks = 0x123;
  result.sense = scsi::sense::make(scsi::SenseKey::copy_aborted, {0x0d, 0x04});
  result.sense->information = 0x123;
  const Bytes data = encode_rod_token_information(result);
  CHECK(data[5] == 0x03);
  CHECK(data[12] == 0x02);
  CHECK(base::load_be64(data, 16) == 0x123);
  CHECK(Bytes(data.begin() + 32, data.begin() + 46) ==
        hex("F0 00 0A 00 00 01 23 0A 00 00 00 00 0D 04"));
}

TEST_CASE("4.3 an aborted operation: 60h, TASK ABORTED, no sense") {
  CopyResult result;
  result.response_to_service_action = 0x11;
  result.status = CopyOperationStatus::terminated;
  result.completion_status = scsi::Status::task_aborted;
  const Bytes data = encode_rod_token_information(result);
  CHECK(data[5] == 0x60);
  CHECK(data[12] == 0x40);
  CHECK(data[13] == 0);
  CHECK(data[14] == 0);
}

TEST_CASE("4.2 status values, and which are final") {
  const std::pair<CopyOperationStatus, std::pair<int, bool>> expected[] = {
      {CopyOperationStatus::completed, {0x01, true}},
      {CopyOperationStatus::completed_with_errors, {0x02, true}},
      {CopyOperationStatus::completed_with_residual, {0x03, true}},
      {CopyOperationStatus::in_progress, {0x10, false}},
      {CopyOperationStatus::in_progress_foreground, {0x11, false}},
      {CopyOperationStatus::in_progress_background, {0x12, false}},
      {CopyOperationStatus::terminated, {0x60, true}},
  };
  for (const auto& [status, told] : expected) {
    CHECK(static_cast<int>(status) == told.first);
    CHECK(is_final(status) == told.second);
  }
}

TEST_CASE("4.1 the operation counter and counts beyond 32 bits") {
  CopyResult result = populated();
  result.operation_counter = 0xabcd;
  result.transfer_count_blocks = 0x0102030405060708;
  const Bytes data = encode_rod_token_information(result);
  CHECK(base::load_be16(data, 6) == 0xabcd);
  CHECK(base::load_be64(data, 16) == 0x0102030405060708);
}

TEST_CASE("B.2 the host side reads the answer as Windows does") {
  const auto result = scsi::decode_rod_token_information(with_token(populated_head));
  REQUIRE(result);
  CHECK(result->response_to_service_action == 0x10);
  CHECK(result->status == CopyOperationStatus::completed);
  CHECK(result->transfer_count_blocks == 0x2000);
  CHECK(result->estimated_status_update_delay_ms == 0xfffffffe);
  CHECK(result->token == some_token());

  const auto in_progress = scsi::decode_rod_token_information(hex(running_bytes));
  REQUIRE(in_progress);
  CHECK_FALSE(in_progress->token);
  CHECK_FALSE(is_final(in_progress->status));
}

TEST_CASE("B.2 the host side finds the token behind sense of any space") {
  for (const std::uint8_t space : {0, 4, 20, 252}) {
    Bytes data = with_token(populated_head);
    data[13] = space;
    data.insert(data.begin() + 32, space, 0);
    const auto result = scsi::decode_rod_token_information(data);
    REQUIRE(result);
    CHECK(result->token == some_token());
  }
}

TEST_CASE("B.2 the host side refuses what contradicts itself") {
  const Bytes good = with_token(populated_head);
  const auto changed = [&](std::size_t at, std::uint8_t value) {
    Bytes data = good;
    data[at] = value;
    return scsi::decode_rod_token_information(data);
  };
  CHECK_FALSE(changed(15, 0x00));  // units are bytes
  CHECK_FALSE(changed(14, 18));    // sense without space
  REQUIRE(changed(35, 0x01));      // descriptors are not 514 bytes: no token
  CHECK_FALSE(changed(35, 0x01)->token);
  REQUIRE(changed(33, 0x01));
  CHECK_FALSE(changed(33, 0x01)->token);
  for (std::size_t n = 0; n < good.size(); ++n) {
    const auto cut = scsi::decode_rod_token_information(base::ByteView(good).first(n));
    CHECK((!cut || !cut->token));
    CHECK(cut.has_value() == (n >= 36));
  }
  Bytes far = good;
  far[13] = 0xff;  // space beyond the end
  far.resize(100);
  CHECK_FALSE(scsi::decode_rod_token_information(far));
}

TEST_CASE("4.1 what we send the host side reads back, sense included") {
  for (const CopyResult& result : {populated(), failed(), running()}) {
    const auto back = scsi::decode_rod_token_information(encode_rod_token_information(result));
    REQUIRE(back);
    CHECK(back->status == result.status);
    CHECK(back->completion_status == result.completion_status);
    CHECK(back->sense == result.sense);
    CHECK(back->token == result.token);
    CHECK(back->transfer_count_blocks == result.transfer_count_blocks);
  }
}
