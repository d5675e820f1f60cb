// Cuts a byte stream into PDUs. Data segments go straight to where they belong, so that nothing is
// copied twice; any split of the stream gives the same PDUs.
#pragma once

#include <cstdint>
#include <vector>

#include "base/bytes.hpp"
#include "target/iscsi/pdu.hpp"

namespace iscsi {

class PduSink {
 public:
  // A header (with its additional header segments) has arrived. Returns where the first bytes of
  // the data segment belong; what does not fit is dropped. The sink keeps the place valid until
  // pdu_end().
  virtual base::ByteSpan pdu_begin(const Bhs& header, base::ByteView additional) = 0;
  virtual void pdu_end() = 0;
  // False: leave the rest of the stream with the caller for now.
  virtual bool accepts_more() const = 0;

 protected:
  ~PduSink() = default;
};

class PduReader {
 public:
  // Returns how many bytes were taken; fewer than given only when the sink accepts no more.
  std::size_t feed(base::ByteView stream, PduSink& sink);

  // Where the next bytes of the stream may be received directly: the rest of the current data
  // segment. Empty when there is none. After receiving n bytes there, call received_directly(n).
  base::ByteSpan direct_space() const;
  void received_directly(std::size_t bytes, PduSink& sink);

 private:
  enum class Part : std::uint8_t { header, additional, data };

  std::size_t take_header(base::ByteView stream, PduSink& sink);
  std::size_t take_additional(base::ByteView stream, PduSink& sink);
  std::size_t take_data(base::ByteView stream, PduSink& sink);
  void begin(PduSink& sink);
  void end_if_complete(PduSink& sink);

  Part part_ = Part::header;
  Bhs header_{};
  std::size_t header_filled_ = 0;
  std::vector<std::uint8_t> additional_;
  std::size_t additional_missing_ = 0;
  base::ByteSpan place_;          // the rest of where data belongs
  std::size_t data_missing_ = 0;  // of the data segment and its padding
};

}  // namespace iscsi
