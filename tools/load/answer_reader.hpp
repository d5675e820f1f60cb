// Cuts a target's byte stream into PDUs as it comes: headers are put together, data is handed on
// where it lies. Checks digests. Nothing is allocated.
#pragma once

#include <algorithm>
#include <array>
#include <string_view>

#include "base/bytes.hpp"
#include "base/crc32c.hpp"
#include "target/iscsi/digests.hpp"
#include "target/iscsi/pdu.hpp"

namespace load {

// Sink: void header(const Bhs&); void data(ByteView piece), in order and without padding; void
// end(), when the whole PDU has come and its digests are right.
template <class Sink>
class AnswerReader {
 public:
  AnswerReader(iscsi::Digests digests, Sink& sink)
      : digests_(digests),
        head_bytes_(iscsi::bhs_bytes + (digests.header ? base::crc32c_bytes : 0)),
        sink_(sink) {}

  // Takes all of it. False: what came is no answer of a target, trouble() says why; the stream
  // cannot be read on.
  bool feed(base::ByteView bytes) {
    while (!bytes.empty() && trouble_.empty()) {
      if (head_got_ < head_bytes_) {
        take_head(bytes);
      } else if (data_left_ != 0) {
        take_data(bytes);
      } else {
        take_tail(bytes);
      }
    }
    return trouble_.empty();
  }
  std::string_view trouble() const { return trouble_; }

 private:
  static base::ByteView cut(base::ByteView& bytes, std::size_t most) {
    const base::ByteView out = bytes.first(std::min(most, bytes.size()));
    bytes = bytes.subspan(out.size());
    return out;
  }

  void take_head(base::ByteView& bytes) {
    const base::ByteView piece = cut(bytes, head_bytes_ - head_got_);
    std::copy(piece.begin(), piece.end(), head_.begin() + static_cast<std::ptrdiff_t>(head_got_));
    head_got_ += piece.size();
    if (head_got_ == head_bytes_) begin();
  }
  void begin() {
    iscsi::Bhs header;
    std::copy_n(head_.begin(), header.size(), header.begin());
    if (digests_.header && !matches(header, base::ByteView(head_).subspan(header.size()))) return;
    if (iscsi::bhs::total_ahs_length.read(header) != 0) {
      trouble_ = "an answer has additional header segments";
      return;
    }
    data_left_ = iscsi::bhs::data_segment_length.read(header);
    padding_ = iscsi::pad_to_four(data_left_);
    tail_bytes_ = padding_ + (digests_.data && data_left_ != 0 ? base::crc32c_bytes : 0);
    tail_got_ = 0;
    data_crc_ = {};
    sink_.header(header);
    if (data_left_ == 0) finish();
  }
  void take_data(base::ByteView& bytes) {
    const base::ByteView piece = cut(bytes, data_left_);
    data_left_ -= piece.size();
    if (digests_.data) data_crc_.update(piece);
    sink_.data(piece);
    if (data_left_ == 0 && tail_bytes_ == 0) finish();
  }
  void take_tail(base::ByteView& bytes) {
    const base::ByteView piece = cut(bytes, tail_bytes_ - tail_got_);
    std::copy(piece.begin(), piece.end(), tail_.begin() + static_cast<std::ptrdiff_t>(tail_got_));
    tail_got_ += piece.size();
    if (tail_got_ != tail_bytes_) return;
    if (digests_.data) {
      data_crc_.update(base::ByteView(tail_).first(padding_));
      const auto digest = data_crc_.digest();
      if (!std::equal(digest.begin(), digest.end(),
                      tail_.begin() + static_cast<std::ptrdiff_t>(padding_))) {
        trouble_ = "an answer's data digest is wrong";
        return;
      }
    }
    finish();
  }
  void finish() {
    head_got_ = 0;
    sink_.end();
  }
  bool matches(base::ByteView covered, base::ByteView digest) {
    base::Crc32c crc;
    crc.update(covered);
    const auto expected = crc.digest();
    if (std::equal(expected.begin(), expected.end(), digest.begin())) return true;
    trouble_ = "an answer's header digest is wrong";
    return false;
  }

  iscsi::Digests digests_;
  std::size_t head_bytes_;
  Sink& sink_;
  std::array<std::uint8_t, iscsi::bhs_bytes + base::crc32c_bytes> head_{};
  std::array<std::uint8_t, 4 + base::crc32c_bytes> tail_{};
  std::size_t head_got_ = 0, data_left_ = 0, padding_ = 0, tail_bytes_ = 0, tail_got_ = 0;
  base::Crc32c data_crc_;
  std::string_view trouble_;
};

}  // namespace load
