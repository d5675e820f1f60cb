#include "store/side_journal.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

#include <fmt/format.h>

#include "base/crc32c.hpp"
#include "base/log.hpp"

namespace store {
namespace {

// Two numbers, then the checksum of both and of where the entry lies. Never all zeros.
using Entry = std::array<std::uint8_t, SideJournal::entry_bytes>;
constexpr std::size_t first_at = 0, second_at = 8, checksum_at = 16, checked_bytes = 16;
constexpr std::uint64_t snapshots_at = SideJournal::header_bytes;
constexpr std::uint64_t slots_at =
    snapshots_at + SideJournal::snapshots_max * SideJournal::entry_bytes;

base::ByteOffset place_of_snapshot(std::uint64_t place) {
  return base::ByteOffset(snapshots_at + place * SideJournal::entry_bytes);
}
base::ByteOffset place_of_slot(std::uint64_t slot) {
  return base::ByteOffset(slots_at + slot * SideJournal::entry_bytes);
}

std::array<std::uint8_t, base::crc32c_bytes> checksum(base::ByteView entry, base::ByteOffset at) {
  std::array<std::uint8_t, 8> where{};
  base::store_be64(where, 0, at.value);
  base::Crc32c crc;
  crc.update(where);
  crc.update(entry.first(checked_bytes));
  return crc.digest();
}

void encode(base::ByteSpan entry, base::ByteOffset at, std::uint64_t first, std::uint64_t second) {
  base::store_be64(entry, first_at, first);
  base::store_be64(entry, second_at, second);
  const auto sum = checksum(entry, at);
  std::copy(sum.begin(), sum.end(), entry.begin() + checksum_at);
}

bool is_sound(base::ByteView entry, base::ByteOffset at) {
  const auto sum = checksum(entry, at);
  return std::equal(sum.begin(), sum.end(), entry.begin() + checksum_at);
}

bool is_nothing(base::ByteView entry) {
  return entry[0] == 0 && std::memcmp(entry.data(), entry.data() + 1, entry.size() - 1) == 0;
}

}  // namespace

base::Result<std::unique_ptr<SideJournal>, std::string> SideJournal::open(
    std::unique_ptr<Store> medium, std::uint64_t first_sequence) {
  std::unique_ptr<SideJournal> out(new SideJournal(std::move(medium)));
  out->sequence_ = first_sequence;
  const std::uint64_t size = out->medium_->size().value;
  const std::uint64_t slots = size > slots_at ? (size - slots_at) / entry_bytes : 0;
  for (const bool of_slots : {false, true}) {
    const auto sound = out->read_entries(of_slots, of_slots ? slots : snapshots_max);
    if (!sound) return base::fail(to_text(sound.error()));
    if (!*sound) return base::fail(std::string("an entry is damaged"));
  }
  return out;
}

// Mostly there is nothing: a journal that was never full is one hole.
StoreResult<bool> SideJournal::read_entries(bool of_slots, std::uint64_t count) {
  constexpr std::uint64_t at_once = 8192;
  std::vector<std::uint8_t> bytes(at_once * entry_bytes);
  for (std::uint64_t index = 0; index < count;) {
    const base::ByteOffset at = of_slots ? place_of_slot(index) : place_of_snapshot(index);
    const Store::Run run = medium_->first_run({at, base::ByteCount((count - index) * entry_bytes)});
    const std::uint64_t whole = run.length.value / entry_bytes;
    if (run.hole && whole > 0) {
      index += whole;
      continue;
    }
    const std::uint64_t entries = std::clamp<std::uint64_t>(whole, 1, at_once);
    const base::ByteSpan piece = base::ByteSpan(bytes).first(entries * entry_bytes);
    if (auto read = medium_->read(at, piece); !read) return base::fail(read.error());
    if (!take_entries(of_slots, index, piece)) return false;
    index += entries;
  }
  return true;
}

bool SideJournal::take_entries(bool of_slots, std::uint64_t index, base::ByteView entries) {
  for (; !entries.empty(); entries = entries.subspan(entry_bytes), ++index) {
    const base::ByteView entry = entries.first(entry_bytes);
    if (is_nothing(entry)) continue;
    if (!is_sound(entry, of_slots ? place_of_slot(index) : place_of_snapshot(index))) return false;
    const std::uint64_t first = base::load_be64(entry, first_at);
    const std::uint64_t second = base::load_be64(entry, second_at);
    if (of_slots) {
      found_.slots.push_back({index, first, second});
    } else {
      found_.snapshots.emplace(first, index);
      next_place_ = index + 1;
    }
    sequence_ = std::max({sequence_.load(), second, of_slots ? 0 : first});
  }
  return true;
}

std::optional<SideJournal::Kept> SideJournal::begin_snapshot() {
  Kept kept{++sequence_, 0};
  {
    const std::scoped_lock lock(places_mutex_);
    if (given_up_ || (free_places_.empty() && next_place_ == snapshots_max)) return std::nullopt;
    kept.place = free_places_.empty() ? next_place_++ : free_places_.back();
    if (!free_places_.empty()) free_places_.pop_back();
  }
  Entry entry{};
  const base::ByteOffset at = place_of_snapshot(kept.place);
  encode(entry, at, kept.sequence, 0);
  put(at, entry);
  return kept;
}

void SideJournal::end_snapshot(std::uint64_t place) {
  put(place_of_snapshot(place), Entry{});
  const std::scoped_lock lock(places_mutex_);
  free_places_.push_back(place);
}

void SideJournal::saved(std::uint64_t chunk, SlotRun slots) {
  const std::uint64_t sequence = ++sequence_;
  std::vector<std::uint8_t> entries(slots.count * entry_bytes);
  for (std::uint64_t i = 0; i < slots.count; ++i) {
    encode(base::ByteSpan(entries).subspan(i * entry_bytes, entry_bytes),
           place_of_slot(slots.first + i), chunk + i, sequence);
  }
  put(place_of_slot(slots.first), entries);
}

void SideJournal::freed(SlotRun slots) {
  put(place_of_slot(slots.first), std::vector<std::uint8_t>(slots.count * entry_bytes));
}

void SideJournal::put(base::ByteOffset at, base::ByteView entries) {
  if (given_up_) return;
  if (const auto done = medium_->write(at, entries, Durability::cached); !done) {
    give_up(done.error());
  }
}

// Cutting a file off takes no room.
void SideJournal::give_up(const StoreError& why) {
  if (given_up_.exchange(true)) return;
  const auto emptied = medium_->resize(base::ByteCount(0));
  base::log::error("{}: {}; tokens made so far do not survive a restart{}", medium_->describe(),
                   to_text(why), emptied ? "" : ", and it could not be emptied: remove it");
}

SideJournal::Found SideJournal::end_restore() {
  restored_ = true;
  if (owner_.begin) {
    if (const auto begun = owner_.begin(); !begun) give_up(begun.error());
  }
  return std::exchange(found_, {});
}

void SideJournal::keep() {
  if (given_up_ || !owner_.keep) return;
  if (const auto kept = owner_.keep(); !kept) {
    base::log::error("{}: {}; its tokens do not survive a restart of the machine",
                     medium_->describe(), to_text(kept.error()));
  }
}

void SideJournal::remove() {
  if (owner_.remove) owner_.remove();
}

}  // namespace store
