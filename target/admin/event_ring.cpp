#include "target/admin/event_ring.hpp"

#include <algorithm>

namespace admin {
namespace {

Event::Value copy_of(const base::log::Field& field) {
  if (const auto* number = std::get_if<std::uint64_t>(&field.value)) return *number;
  return std::string(std::get<std::string_view>(field.value));
}

}  // namespace

void EventRing::saw(const base::log::Record& record) {
  Event event;
  event.since_1970 = clock_.since_1970();
  event.level = record.level;
  event.name = record.event;
  event.text = record.text;
  for (const base::log::Field& field : record.fields)
    event.fields.emplace_back(field.name, copy_of(field));
  event.session = record.context.session;
  event.task_tag = record.context.task_tag;
  event.peer = record.context.peer;
  const std::scoped_lock lock(mutex_);
  event.number = ++last_;
  events_.push_back(std::move(event));
  if (events_.size() > size_) events_.pop_front();
}

EventRing::Page EventRing::after(std::uint64_t after, std::size_t at_most) const {
  const std::scoped_lock lock(mutex_);
  Page out;
  out.last = last_;
  // Numbers of an earlier process, say: nothing has come after them yet.
  if (after >= last_) return out;
  const std::uint64_t first = last_ - events_.size() + 1;
  const std::uint64_t from = std::max(after + 1, first);
  out.lost = from - (after + 1);
  const auto begin = events_.begin() + static_cast<std::ptrdiff_t>(from - first);
  const auto there = static_cast<std::size_t>(events_.end() - begin);
  out.events.assign(begin, begin + static_cast<std::ptrdiff_t>(std::min(there, at_most)));
  return out;
}

}  // namespace admin
