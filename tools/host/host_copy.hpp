// Copying and comparing through the host: READ(16) and WRITE(16) pipelined over both units, in
// chunks that each unit can take. Units may differ in block length; bytes stay in order. Memory:
// depth x chunk (twice to compare).
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "base/extent.hpp"
#include "base/result.hpp"
#include "tools/host/lun.hpp"

namespace host {

// One end of a copy: where its bytes start on a unit.
struct CopyEnd {
  Lun* lun = nullptr;
  base::BlockLength block_length;
  base::Lba first;
  base::BlockCount maximum_transfer_length;  // 0: not reported
};

struct PipelineSettings {
  base::ByteCount chunk{512ull << 10};
  unsigned depth = 16;
};
inline constexpr base::ByteCount chunk_max{16ull << 20};
inline constexpr unsigned depth_max = 256;

// How the caller follows and ends a copy; both may be empty.
struct CopyWatch {
  std::function<void(base::ByteCount done)> progress;
  std::function<bool()> stop;

  void tell(base::ByteCount done) const {
    if (progress) progress(done);
  }
  bool stopped() const { return stop && stop(); }
};

// The largest chunk not above `settings.chunk` that is whole blocks of both units and that both
// take at once; at least one block of the larger block length.
base::ByteCount chunk_for(const PipelineSettings& settings, const CopyEnd& source,
                          const CopyEnd& destination);

struct HostCopyResult {
  base::ByteCount bytes;  // copied; all of them unless stopped or in trouble
  std::uint64_t reads = 0, writes = 0;
  std::optional<std::string> trouble;
};
// Copies the bytes from `from` to `total`, both counted from the ends' first blocks and whole
// blocks of both.
HostCopyResult host_copy(const CopyEnd& source, const CopyEnd& destination, base::ByteCount from,
                         base::ByteCount total, const PipelineSettings& settings,
                         const CopyWatch& watch);

struct CompareResult {
  base::ByteCount bytes;  // compared
  std::uint64_t reads = 0;
  std::optional<base::ByteOffset> first_difference;  // from the ends' first blocks
  std::optional<std::string> trouble;
};
CompareResult compare(const CopyEnd& source, const CopyEnd& destination, base::ByteCount total,
                      const PipelineSettings& settings, const CopyWatch& watch);

}  // namespace host
