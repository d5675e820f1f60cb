// The ring of recent PDUs: what it keeps, what makes room, where PDUs stand in their stream.
#include "target/net/pdu_ring.hpp"

#include <catch2/catch.hpp>

#include "target/net/connection_trace.hpp"
#include "target/net/tracer.hpp"
#include "target/net/worker.hpp"

namespace {

using namespace net;
using Bytes = std::vector<std::uint8_t>;

struct CountingClock final : base::WallClock {
  base::Duration since_1970() const override { return base::Duration(++now); }
  mutable std::int64_t now = 0;
};

Bytes numbered(std::size_t bytes, std::size_t seed) {
  Bytes out(bytes);
  for (std::size_t i = 0; i < bytes; ++i)
    out[i] = static_cast<std::uint8_t>(seed + i * 3);
  return out;
}

// A header of this opcode, task tag and length of data.
iscsi::Bhs header_of(std::uint8_t opcode, std::uint32_t tag, std::size_t data,
                     std::uint8_t cdb0 = 0) {
  iscsi::Bhs out{};
  out[0] = opcode;
  base::store_be(out, 5, 3, data);
  base::store_be32(out, 16, tag);
  out[32] = cdb0;
  return out;
}

const TcpFlow flow{{127, 0, 0, 1}, {127, 0, 0, 2}, 3260, 50000, false};

struct Traced {
  CountingClock clock;
  PduRing ring;
  ConnectionTrace trace{ring, flow};

  explicit Traced(std::size_t data_bytes) : ring(1 << 20, data_bytes, clock) {}

  void hear(const iscsi::Bhs& header, const Bytes& data = {}, iscsi::Digests digests = {}) {
    trace.received({header, {}, data, digests});
  }
  void say(const iscsi::Bhs& header, const Bytes& data = {}, iscsi::Digests digests = {}) {
    trace.queued({header, {}, data, digests});
  }
};

}  // namespace

TEST_CASE("a ring gives back what it was given, the newest of it when there is too much") {
  const CountingClock clock;
  const std::size_t size = GENERATE(2000, 2001, 5003, 100000);
  PduRing ring(size, 1000, clock);
  const std::size_t pdus = 100;
  for (std::size_t i = 0; i < pdus; ++i) {
    const iscsi::Bhs header = header_of(0x05, static_cast<std::uint32_t>(i), i);
    const Bytes additional = numbered(i % 3 * 4, i), data = numbered(i, i + 1);
    ring.put({flow, i % 2 == 0, static_cast<std::uint32_t>(i), 7},
             {header, additional, data, {true, false}, i % 5 != 0}, 60);
  }
  const auto kept = ring.all();
  REQUIRE_FALSE(kept.empty());
  CHECK(ring.seen() == pdus);
  CHECK(ring.lost() == pdus - kept.size());
  CHECK((size == 100000) == (kept.size() == pdus));
  for (std::size_t at = 0; at < kept.size(); ++at) {
    const std::size_t i = pdus - kept.size() + at;
    const TracedPdu& pdu = kept[at];
    CHECK(pdu.since_1970 == base::Duration(static_cast<std::int64_t>(i) + 1));
    CHECK(pdu.place.flow == flow);
    CHECK(pdu.place.sent == (i % 2 == 0));
    CHECK(pdu.place.sequence == i);
    CHECK(pdu.place.acknowledged == 7);
    CHECK(pdu.digests == iscsi::Digests{true, false});
    CHECK(pdu.data_intact == (i % 5 != 0));
    CHECK(pdu.header == header_of(0x05, static_cast<std::uint32_t>(i), i));
    CHECK(pdu.additional == numbered(i % 3 * 4, i));
    CHECK(pdu.data == numbered(std::min<std::size_t>(i, 60), i + 1));
  }
}

TEST_CASE("what is larger than the ring is lost alone") {
  const CountingClock clock;
  PduRing ring(400, 1000, clock);
  const iscsi::Bhs header = header_of(0x05, 1, 8);
  ring.put({flow, true, 1, 1}, {header, {}, numbered(8, 1), {}}, 1000);
  ring.put({flow, true, 2, 1}, {header, {}, numbered(500, 1), {}}, 1000);
  REQUIRE(ring.all().size() == 1);
  CHECK(ring.all().front().place.sequence == 1);
  CHECK(ring.seen() == 2);
  CHECK(ring.lost() == 1);
}

TEST_CASE("sequence numbers count the bytes of each direction: header, digests, data, padding") {
  Traced traced(16);
  traced.hear(header_of(0x01, 1, 0));                                // 48
  traced.say(header_of(0x25, 1, 5), numbered(5, 1));                 // 48 + 8
  traced.hear(header_of(0x05, 2, 6), numbered(6, 1), {true, true});  // 48 + 4 + 8 + 4
  traced.say(header_of(0x21, 2, 0), {}, {true, true});               // 48 + 4
  iscsi::Bhs long_cdb = header_of(0x01, 3, 0);
  long_cdb[4] = 5;  // words of additional header segments
  traced.trace.received({long_cdb, numbered(20, 1), {}, {}});
  traced.say(header_of(0x21, 3, 0));
  const auto pdus = traced.ring.all();
  const auto places = [&](std::size_t i) {
    return std::pair(pdus.at(i).place.sequence, pdus.at(i).place.acknowledged);
  };
  CHECK(places(0) == std::pair(1u, 1u));
  CHECK(places(1) == std::pair(1u, 49u));
  CHECK(places(2) == std::pair(49u, 57u));
  CHECK(places(3) == std::pair(57u, 113u));
  CHECK(places(4) == std::pair(113u, 109u));
  CHECK(places(5) == std::pair(109u, 181u));
}

TEST_CASE("blocks are cut, text and what belongs to copies is kept") {
  Traced traced(16);
  const Bytes much = numbered(1000, 1);
  const auto kept = [&] { return traced.ring.all().back().data.size(); };
  traced.hear(header_of(0x01, 7, 1000, 0x2a), much);
  CHECK(kept() == 16);
  traced.hear(header_of(0x03, 8, 1000), much);  // login keys
  CHECK(kept() == 1000);
  for (const std::uint8_t operation : {0x83, 0x84}) {
    traced.hear(header_of(0x01, 7, 1000, operation), much);
    CHECK(kept() == 1000);
    traced.hear(header_of(0x05, 7, 1000), much);
    CHECK(kept() == 1000);
    traced.say(header_of(0x25, 7, 1000), much);
    CHECK(kept() == 1000);
    traced.say(header_of(0x25, 9, 1000), much);
    CHECK(kept() == 16);
    traced.hear(header_of(0x01, 7, 1000, 0x28), much);  // the tag is used again
    CHECK(kept() == 16);
    traced.say(header_of(0x25, 7, 1000), much);
    CHECK(kept() == 16);
  }
  traced.hear(header_of(0x03, 8, 20000), numbered(20000, 1));
  CHECK(kept() == ConnectionTrace::told_bytes_max);
}

TEST_CASE("a tracer is on or off, and asks every worker", "[threads]") {
  base::SystemClock clock;
  const base::SystemWallClock wall_clock;
  std::vector<std::unique_ptr<Worker>> workers;
  for (unsigned i = 0; i < 3; ++i) {
    workers.push_back(std::make_unique<Worker>(i, clock, base::Duration::zero()));
    workers.back()->start();
  }
  Tracer tracer(workers);
  CHECK_FALSE(tracer.status());
  CHECK_FALSE(tracer.stop());
  for (int turn = 0; turn < 2; ++turn) {
    REQUIRE(tracer.start({3u << 20, 99}, wall_clock));
    CHECK_FALSE(tracer.start({}, wall_clock));
    REQUIRE(tracer.status());
    CHECK(tracer.status()->settings == TraceSettings{3u << 20, 99});
    CHECK(tracer.status()->pdus == 0);
    const auto pdus = tracer.stop();
    REQUIRE(pdus);
    CHECK(pdus->empty());
    CHECK_FALSE(tracer.status());
  }
  for (const auto& worker : workers)
    worker->stop();
}
