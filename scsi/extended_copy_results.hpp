// The answers of RECEIVE COPY STATUS(LID1), RECEIVE COPY DATA(LID1), RECEIVE COPY OPERATING
// PARAMETERS and RECEIVE COPY FAILURE DETAILS(LID1) as bytes (wire reference, 8.6-8.8).
#pragma once

#include "scsi/copy_results.hpp"
#include "scsi/extended_copy_parameters.hpp"

namespace scsi {

struct CopyOperatingParameters {
  ExtendedCopyLimits limits;
  std::uint32_t total_concurrent_copies = 0;
  std::uint32_t identified_concurrent_copies = 0;  // with a list identifier
  std::uint8_t segment_granularity_exponent = 0;   // log2 of bytes
};
std::vector<std::uint8_t> encode(const CopyOperatingParameters& parameters);

// The same as a host reads them, of any array; nullopt for what is too short to be read.
struct ToldOperatingParameters {
  CopyOperatingParameters parameters;
  std::vector<std::uint8_t> descriptor_types;  // as far as they came
};
std::optional<ToldOperatingParameters> decode_operating_parameters(base::ByteView data);

std::vector<std::uint8_t> encode_lid1_status(const CopyResult& result);
// No data is ever held: the header alone.
std::vector<std::uint8_t> encode_lid1_data();
// The header says 0 and ends there unless the copy failed with key COPY ABORTED.
std::vector<std::uint8_t> encode_failure_details(const CopyResult& result);
bool has_failure_details(const CopyResult& result);

}  // namespace scsi
