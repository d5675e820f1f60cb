#include "target/iscsi/pdu_reader.hpp"

#include <algorithm>

namespace iscsi {

std::size_t PduReader::feed(base::ByteView stream, PduSink& sink) {
  std::size_t taken = 0;
  while (taken < stream.size()) {
    const base::ByteView rest = stream.subspan(taken);
    switch (part_) {
      case Part::header:
        if (header_filled_ == 0 && !sink.accepts_more()) return taken;
        taken += take_header(rest, sink);
        break;
      case Part::additional:
        taken += take_additional(rest, sink);
        break;
      case Part::data:
        taken += take_data(rest, sink);
        break;
    }
  }
  return taken;
}

std::size_t PduReader::take_header(base::ByteView stream, PduSink& sink) {
  const std::size_t n = std::min(stream.size(), bhs_bytes - header_filled_);
  std::copy_n(stream.begin(), n, header_.begin() + static_cast<std::ptrdiff_t>(header_filled_));
  header_filled_ += n;
  if (header_filled_ < bhs_bytes) return n;
  header_filled_ = 0;
  additional_.clear();
  additional_missing_ = bhs::total_ahs_length.read(header_) * 4;
  part_ = Part::additional;
  if (additional_missing_ == 0) begin(sink);
  return n;
}

std::size_t PduReader::take_additional(base::ByteView stream, PduSink& sink) {
  const std::size_t n = std::min(stream.size(), additional_missing_);
  additional_.insert(additional_.end(), stream.begin(),
                     stream.begin() + static_cast<std::ptrdiff_t>(n));
  additional_missing_ -= n;
  if (additional_missing_ == 0) begin(sink);
  return n;
}

void PduReader::begin(PduSink& sink) {
  const std::size_t data = bhs::data_segment_length.read(header_);
  const base::ByteSpan place = sink.pdu_begin(header_, additional_);
  place_ = place.first(std::min(place.size(), data));
  data_missing_ = data + pad_to_four(data);
  part_ = Part::data;
  end_if_complete(sink);
}

std::size_t PduReader::take_data(base::ByteView stream, PduSink& sink) {
  const std::size_t n = std::min(stream.size(), data_missing_);
  const std::size_t kept = std::min(n, place_.size());
  std::copy_n(stream.begin(), kept, place_.begin());
  place_ = place_.subspan(kept);
  data_missing_ -= n;
  end_if_complete(sink);
  return n;
}

void PduReader::end_if_complete(PduSink& sink) {
  if (data_missing_ != 0) return;
  part_ = Part::header;
  place_ = {};
  sink.pdu_end();
}

base::ByteSpan PduReader::direct_space() const {
  return part_ == Part::data ? place_ : base::ByteSpan{};
}

void PduReader::received_directly(std::size_t bytes, PduSink& sink) {
  place_ = place_.subspan(bytes);
  data_missing_ -= bytes;
  end_if_complete(sink);
}

}  // namespace iscsi
