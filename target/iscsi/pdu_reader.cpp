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
      case Part::header_digest:
      case Part::data_digest:
        taken += take_digest(rest, sink);
        break;
      case Part::lost:
        return stream.size();
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
  if (additional_missing_ == 0) header_complete(sink);
  return n;
}

std::size_t PduReader::take_additional(base::ByteView stream, PduSink& sink) {
  const std::size_t n = std::min(stream.size(), additional_missing_);
  additional_.insert(additional_.end(), stream.begin(),
                     stream.begin() + static_cast<std::ptrdiff_t>(n));
  additional_missing_ -= n;
  if (additional_missing_ == 0) header_complete(sink);
  return n;
}

void PduReader::header_complete(PduSink& sink) {
  if (!digests_.header) return begin(sink);
  crc_ = {};
  crc_.update(header_);
  crc_.update(additional_);
  part_ = Part::header_digest;
}

std::size_t PduReader::take_digest(base::ByteView stream, PduSink& sink) {
  const std::size_t n = std::min(stream.size(), digest_.size() - digest_filled_);
  std::copy_n(stream.begin(), n, digest_.begin() + static_cast<std::ptrdiff_t>(digest_filled_));
  digest_filled_ += n;
  if (digest_filled_ < digest_.size()) return n;
  digest_filled_ = 0;
  const bool intact = digest_ == crc_.digest();
  if (part_ == Part::data_digest) {
    end(intact, sink);
  } else if (intact) {
    begin(sink);
  } else {
    part_ = Part::lost;
    sink.header_damaged();
  }
  return n;
}

void PduReader::begin(PduSink& sink) {
  const std::size_t data = bhs::data_segment_length.read(header_);
  const base::ByteSpan place = sink.pdu_begin(header_, additional_);
  data_ = place_ = place.first(std::min(place.size(), data));
  data_missing_ = data + pad_to_four(data);
  crc_ = {};
  part_ = Part::data;
  if (data_missing_ == 0) end(true, sink);
}

std::size_t PduReader::take_data(base::ByteView stream, PduSink& sink) {
  const base::ByteView got = stream.first(std::min(stream.size(), data_missing_));
  const std::size_t kept = std::min(got.size(), place_.size());
  std::copy_n(got.begin(), kept, place_.begin());
  advance_data(got, sink);
  return got.size();
}

void PduReader::advance_data(base::ByteView got, PduSink& sink) {
  if (digests_.data) crc_.update(got);
  place_ = place_.subspan(std::min(got.size(), place_.size()));
  data_missing_ -= got.size();
  if (data_missing_ != 0) return;
  if (!digests_.data) return end(true, sink);
  place_ = {};
  part_ = Part::data_digest;
}

void PduReader::end(bool data_intact, PduSink& sink) {
  part_ = Part::header;
  place_ = {};
  if (observer_ != nullptr)
    observer_->received({header_, additional_, data_, digests_, data_intact});
  sink.pdu_end(data_intact);
}

base::ByteSpan PduReader::direct_space() const {
  return part_ == Part::data ? place_ : base::ByteSpan{};
}

void PduReader::received_directly(std::size_t bytes, PduSink& sink) {
  advance_data(place_.first(bytes), sink);
}

}  // namespace iscsi
