// The negotiation of operational keys, row by row of RFC 7143 clause 13.
#include "target/iscsi/negotiation.hpp"

#include <catch2/catch.hpp>

namespace {

using namespace iscsi;

// One offered key: the value that is answered, and what holds then.
struct Outcome {
  std::string answer;
  Parameters parameters;
};
Outcome offer(const std::string& key, const std::string& value, Parameters now = default_offer(),
              SessionKind kind = SessionKind::leading) {
  const auto result = negotiate({{key, value}}, now, kind);
  REQUIRE(result);
  REQUIRE(result->answers.size() == 1);
  REQUIRE(result->answers[0].key == key);
  return {result->answers[0].value, result->parameters};
}
std::string answer(const std::string& key, const std::string& value) {
  return offer(key, value).answer;
}

}  // namespace

TEST_CASE("what this target offers by default") {
  const Parameters offered = default_offer();
  CHECK(offered.max_recv_data_segment_length == 262144);
  CHECK(offered.max_burst_length == 1048576);
  CHECK(offered.first_burst_length == 65536);
  CHECK(offered.max_outstanding_r2t == 16);
  CHECK(offered.max_connections == 1);
  CHECK(offered.error_recovery_level == 0);
  CHECK(offered.initial_r2t);     // R13
  CHECK(offered.immediate_data);  // R13
  CHECK(offered.peer_max_recv_data_segment_length == 8192);
}

TEST_CASE("numbers negotiate to the smaller or the larger, never above what is offered") {
  struct Row {
    const char *key, *offered, *answered;
  };
  for (const Row& row : std::initializer_list<Row>{
           {"MaxConnections", "32", "1"},
           {"MaxConnections", "1", "1"},
           {"MaxBurstLength", "262144", "262144"},
           {"MaxBurstLength", "16777215", "1048576"},
           {"MaxBurstLength", "512", "512"},
           {"FirstBurstLength", "65536", "65536"},
           {"FirstBurstLength", "262144", "65536"},
           {"FirstBurstLength", "512", "512"},
           {"DefaultTime2Wait", "0", "0"},
           {"DefaultTime2Wait", "3600", "3600"},
           {"DefaultTime2Retain", "60", "0"},
           {"DefaultTime2Retain", "0", "0"},
           {"MaxOutstandingR2T", "1", "1"},
           {"MaxOutstandingR2T", "65535", "16"},
           {"ErrorRecoveryLevel", "2", "0"},
           {"ErrorRecoveryLevel", "0", "0"},
           {"MaxBurstLength", "0x10000", "65536"},
       }) {
    INFO(row.key << "=" << row.offered);
    CHECK(answer(row.key, row.offered) == row.answered);
  }
}

TEST_CASE("what was negotiated is what holds") {
  CHECK(offer("MaxBurstLength", "512").parameters.max_burst_length == 512);
  CHECK(offer("FirstBurstLength", "1024").parameters.first_burst_length == 1024);
  CHECK(offer("DefaultTime2Wait", "9").parameters.default_time2wait == 9);
  CHECK(offer("MaxOutstandingR2T", "2").parameters.max_outstanding_r2t == 2);
  CHECK_FALSE(offer("ImmediateData", "No").parameters.immediate_data);
  CHECK(offer("MaxBurstLength", "rubbish").parameters == default_offer());
}

TEST_CASE("MaxRecvDataSegmentLength is declared by each side for itself") {
  const Outcome outcome = offer("MaxRecvDataSegmentLength", "4096");
  CHECK(outcome.answer == "262144");
  CHECK(outcome.parameters.peer_max_recv_data_segment_length == 4096);
  CHECK(outcome.parameters.max_recv_data_segment_length == 262144);
  CHECK(
      offer("MaxRecvDataSegmentLength", "16777215").parameters.peer_max_recv_data_segment_length ==
      16777215);
}

TEST_CASE("booleans negotiate by OR or by AND") {
  struct Row {
    const char* key;
    bool Parameters::*place;
    bool is_or;
  };
  for (const Row& row : std::initializer_list<Row>{
           {"InitialR2T", &Parameters::initial_r2t, true},
           {"ImmediateData", &Parameters::immediate_data, false},
           {"DataPDUInOrder", &Parameters::data_pdu_in_order, true},
           {"DataSequenceInOrder", &Parameters::data_sequence_in_order, true},
       }) {
    for (bool ours : {false, true}) {
      for (bool theirs : {false, true}) {
        INFO(row.key << " ours " << ours << " theirs " << theirs);
        Parameters now = default_offer();
        now.*row.place = ours;
        const Outcome outcome = offer(row.key, theirs ? "Yes" : "No", now);
        const bool expected = row.is_or ? ours || theirs : ours && theirs;
        CHECK(outcome.answer == (expected ? "Yes" : "No"));
        CHECK(outcome.parameters.*row.place == expected);
      }
    }
  }
}

TEST_CASE("a value that breaks its key's syntax or range is rejected and changes nothing") {
  struct Row {
    const char* key;
    std::initializer_list<const char*> values;
  };
  for (const Row& row : std::initializer_list<Row>{
           {"MaxConnections", {"0", "65536", "-1", "", "x"}},
           {"MaxRecvDataSegmentLength", {"511", "16777216", "0", "1e4"}},
           {"MaxBurstLength", {"511", "16777216", "18446744073709551616"}},
           {"FirstBurstLength", {"511", "16777216", " 512"}},
           {"DefaultTime2Wait", {"3601", "-1"}},
           {"DefaultTime2Retain", {"3601", ""}},
           {"MaxOutstandingR2T", {"0", "65536"}},
           {"ErrorRecoveryLevel", {"3", "No"}},
           {"InitialR2T", {"yes", "1", "", "Yes,No"}},
           {"ImmediateData", {"NO", "true"}},
           {"DataPDUInOrder", {"no"}},
           {"DataSequenceInOrder", {""}},
       }) {
    for (const char* value : row.values) {
      INFO(row.key << "=" << value);
      const Outcome outcome = offer(row.key, value);
      CHECK(outcome.answer == "Reject");
      CHECK(outcome.parameters == default_offer());
    }
  }
}

TEST_CASE("the digest that the initiator likes best, if the policy takes it") {
  struct Row {
    const char* value;
    const char *any, *none, *crc32c;
  };
  for (const Row& row : std::initializer_list<Row>{{"None", "None", "None", "Reject"},
                                                   {"CRC32C,None", "CRC32C", "None", "CRC32C"},
                                                   {"None,CRC32C", "None", "None", "CRC32C"},
                                                   {"CRC32C", "CRC32C", "Reject", "CRC32C"},
                                                   {"X-md5,CRC32C", "CRC32C", "Reject", "CRC32C"},
                                                   {"crc32c", "Reject", "Reject", "Reject"},
                                                   {"", "Reject", "Reject", "Reject"}}) {
    for (const bool header : {true, false}) {
      const char* key = header ? "HeaderDigest" : "DataDigest";
      INFO(key << "=" << row.value);
      const auto check = [&](iscsi::DigestPolicy policy, const std::string& expected) {
        Parameters now = default_offer();
        (header ? now.header_digest : now.data_digest) = policy;
        const Outcome outcome = offer(key, row.value, now);
        CHECK(outcome.answer == expected);
        const bool used = expected == "CRC32C";
        CHECK(outcome.parameters.digests == iscsi::Digests{header && used, !header && used});
      };
      check(iscsi::DigestPolicy::any, row.any);
      check(iscsi::DigestPolicy::none, row.none);
      check(iscsi::DigestPolicy::crc32c, row.crc32c);
    }
  }
}

TEST_CASE("the obsolete marker keys are answered as RFC 7143 13.25 wants") {
  CHECK(answer("IFMarker", "No") == "No");
  CHECK(answer("OFMarker", "Yes") == "No");
  CHECK(answer("IFMarkInt", "2048~8192") == "Reject");
  CHECK(answer("OFMarkInt", "1") == "Reject");
}

TEST_CASE("the protocol level is RFC 7143's, task reporting is RFC 3720's") {
  CHECK(answer("iSCSIProtocolLevel", "2") == "1");
  CHECK(answer("iSCSIProtocolLevel", "1") == "1");
  CHECK(answer("iSCSIProtocolLevel", "0") == "0");
  CHECK(answer("iSCSIProtocolLevel", "32") == "Reject");
  CHECK(answer("TaskReporting", "FastAbort,ResponseFence,RFC3720") == "RFC3720");
  CHECK(answer("TaskReporting", "FastAbort") == "Reject");
  CHECK(offer("TaskReporting", "RFC3720", default_offer(), SessionKind::discovery).answer ==
        "Irrelevant");
  CHECK(offer("iSCSIProtocolLevel", "1", default_offer(), SessionKind::joining).answer == "Reject");
}

TEST_CASE("keys of RDMA are not understood over TCP") {
  for (const char* key :
       {"RDMAExtensions", "TargetRecvDataSegmentLength", "InitiatorRecvDataSegmentLength",
        "MaxOutstandingUnexpectedPDUs", "iSERHelloRequired", "TaggedBufferForSolicitedDataOnly"}) {
    CHECK(answer(key, "Yes") == "NotUnderstood");
  }
}

TEST_CASE("keys of another world are not understood") {
  for (const char* key :
       {"X-com.example.fast", "maxburstlength", "MaxBurstLength ", "SendTargets"}) {
    CHECK(answer(key, "1") == "NotUnderstood");
  }
}

TEST_CASE("in discovery, keys of data transfer are irrelevant and the others are not") {
  for (const char* key :
       {"MaxConnections", "InitialR2T", "ImmediateData", "MaxBurstLength", "FirstBurstLength",
        "MaxOutstandingR2T", "DataPDUInOrder", "DataSequenceInOrder"}) {
    const Outcome outcome = offer(key, "512", default_offer(), SessionKind::discovery);
    CHECK(outcome.answer == "Irrelevant");
    CHECK(outcome.parameters == default_offer());
  }
  CHECK(offer("HeaderDigest", "None", default_offer(), SessionKind::discovery).answer == "None");
  CHECK(offer("MaxRecvDataSegmentLength", "512", default_offer(), SessionKind::discovery).answer ==
        "262144");
  CHECK(offer("DefaultTime2Wait", "3", default_offer(), SessionKind::discovery).answer == "3");
  CHECK(offer("ErrorRecoveryLevel", "2", default_offer(), SessionKind::discovery).answer == "0");
}

TEST_CASE("FirstBurstLength never ends above MaxBurstLength") {
  for (bool burst_first : {false, true}) {
    KeyValues keys{{"FirstBurstLength", "65536"}, {"MaxBurstLength", "4096"}};
    if (burst_first) std::swap(keys[0], keys[1]);
    const auto result = negotiate(keys, default_offer(), SessionKind::leading);
    REQUIRE(result);
    CHECK(result->parameters.first_burst_length == 4096);
    CHECK(*find_value(result->answers, "FirstBurstLength") == "4096");
    CHECK(*find_value(result->answers, "MaxBurstLength") == "4096");
  }
  CHECK(offer("MaxBurstLength", "512").parameters.first_burst_length == 512);
  const auto bad = negotiate({{"FirstBurstLength", "1"}, {"MaxBurstLength", "512"}},
                             default_offer(), SessionKind::leading);
  CHECK(*find_value(bad->answers, "FirstBurstLength") == "Reject");
}

TEST_CASE("answers come in the order of the offers") {
  const auto result = negotiate({{"X-b", "1"}, {"ImmediateData", "No"}, {"HeaderDigest", "None"}},
                                default_offer(), SessionKind::leading);
  REQUIRE(result);
  CHECK(result->answers ==
        KeyValues{{"X-b", "NotUnderstood"}, {"ImmediateData", "No"}, {"HeaderDigest", "None"}});
}

TEST_CASE("a key offered twice is an error") {
  const auto result = negotiate({{"InitialR2T", "No"}, {"InitialR2T", "No"}}, default_offer(),
                                SessionKind::leading);
  REQUIRE_FALSE(result);
  CHECK(result.error() == LoginStatus::initiator_error);
}
