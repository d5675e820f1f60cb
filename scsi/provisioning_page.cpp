#include "scsi/provisioning_page.hpp"

#include "scsi/field.hpp"

namespace scsi {
namespace {

constexpr Field lbpere = Field::flag("LBPERE", 7, 7);

// A threshold descriptor. THRESHOLD TYPE 000b: the count is in threshold sets.
constexpr Field enabled = Field::flag("ENABLED", 0, 7);
constexpr Field arming{"THRESHOLD ARMING", 0, 2, 3};
constexpr Field resource = Field::bytes("THRESHOLD RESOURCE", 1, 1);
constexpr Field count = Field::bytes("THRESHOLD COUNT", 4, 4);
constexpr std::size_t descriptor_bytes = 8;
constexpr std::size_t available_at = 16, used_at = available_at + descriptor_bytes;
static_assert(used_at + descriptor_bytes == provisioning_page_bytes);

// Of the log page that tells the same resources (0Ch), its parameter codes.
enum class Resource : std::uint8_t { available = 0x01, used = 0x02 };
enum class Arming : std::uint8_t { decreasing = 0, increasing = 1 };

void fill(base::ByteSpan descriptor, const Threshold& threshold, Resource of, Arming when) {
  enabled.write(descriptor, threshold.enabled);
  arming.write(descriptor, static_cast<std::uint64_t>(when));
  resource.write(descriptor, static_cast<std::uint64_t>(of));
  count.write(descriptor, threshold.count);
}

Threshold read(base::ByteView descriptor) {
  return {enabled.is_set(descriptor), static_cast<std::uint32_t>(count.read(descriptor))};
}

}  // namespace

void fill_provisioning_page(base::ByteSpan page, const ProvisioningParameters& parameters) {
  fill(page.subspan(available_at), parameters.available, Resource::available, Arming::decreasing);
  fill(page.subspan(used_at), parameters.used, Resource::used, Arming::increasing);
}

void mark_provisioning_page(base::ByteSpan page) {
  for (const std::size_t at : {available_at, used_at}) {
    enabled.write(page.subspan(at), 1);
    count.write(page.subspan(at), count.mask());
  }
}

void read_provisioning_page(base::ByteView page, ProvisioningParameters& parameters) {
  parameters.available = read(page.subspan(available_at));
  parameters.used = read(page.subspan(used_at));
}

void fill_error_reporting(base::ByteSpan page, const ProvisioningParameters& parameters) {
  lbpere.write(page, parameters.error_reporting);
}

void mark_error_reporting(base::ByteSpan page) {
  lbpere.write(page, 1);
}

void read_error_reporting(base::ByteView page, ProvisioningParameters& parameters) {
  parameters.error_reporting = lbpere.is_set(page);
}

}  // namespace scsi
