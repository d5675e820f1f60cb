// Cuts a byte stream into PDUs and checks their digests. Data segments go straight to where they
// belong, so that nothing is copied twice; any split of the stream gives the same PDUs.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "base/bytes.hpp"
#include "base/crc32c.hpp"
#include "target/iscsi/digests.hpp"
#include "target/iscsi/pdu.hpp"
#include "target/iscsi/pdu_observer.hpp"

namespace iscsi {

class PduSink {
 public:
  // A header (with its additional header segments) has arrived. Returns where the first bytes of
  // the data segment belong; what does not fit is dropped. The sink keeps the place valid until
  // pdu_end().
  virtual base::ByteSpan pdu_begin(const Bhs& header, base::ByteView additional) = 0;
  // `data_intact`: false when the data segment does not have the digest that it came with.
  virtual void pdu_end(bool data_intact) = 0;
  // A header does not have the digest that it came with: where PDUs begin is unknown from here on,
  // and the rest of the stream is swallowed.
  virtual void header_damaged() = 0;
  // False: leave the rest of the stream with the caller for now.
  virtual bool accepts_more() const = 0;

 protected:
  ~PduSink() = default;
};

class PduReader {
 public:
  // From the next header on.
  void expect(Digests digests) { digests_ = digests; }
  // Sees every PDU that ends from now on, before the sink does; null: nobody.
  void observe(PduObserver* observer) { observer_ = observer; }
  // Returns how many bytes were taken; fewer than given only when the sink accepts no more.
  std::size_t feed(base::ByteView stream, PduSink& sink);

  // Where the next bytes of the stream may be received directly: the rest of the current data
  // segment. Empty when there is none. After receiving n bytes there, call received_directly(n).
  base::ByteSpan direct_space() const;
  void received_directly(std::size_t bytes, PduSink& sink);

 private:
  enum class Part : std::uint8_t { header, additional, header_digest, data, data_digest, lost };

  std::size_t take_header(base::ByteView stream, PduSink& sink);
  std::size_t take_additional(base::ByteView stream, PduSink& sink);
  std::size_t take_data(base::ByteView stream, PduSink& sink);
  std::size_t take_digest(base::ByteView stream, PduSink& sink);
  void header_complete(PduSink& sink);
  void begin(PduSink& sink);
  void advance_data(base::ByteView got, PduSink& sink);
  void end(bool data_intact, PduSink& sink);

  Digests digests_;
  PduObserver* observer_ = nullptr;
  Part part_ = Part::header;
  base::Crc32c crc_;  // of what the next digest covers
  std::array<std::uint8_t, base::crc32c_bytes> digest_{};
  std::size_t digest_filled_ = 0;
  Bhs header_{};
  std::size_t header_filled_ = 0;
  std::vector<std::uint8_t> additional_;
  std::size_t additional_missing_ = 0;
  base::ByteSpan place_;          // the rest of where data belongs
  base::ByteView data_;           // all of that place, for the observer
  std::size_t data_missing_ = 0;  // of the data segment and its padding
};

}  // namespace iscsi
