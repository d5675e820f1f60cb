// A store over another one: everything goes to the store below but what a filter changes.
#pragma once

#include <memory>

#include "store/store.hpp"

namespace store {

// Reads by a ring go only where a filter says so: they would pass by what it does to reads.
class Filter : public Store {
 public:
  base::ByteCount size() const override { return below_->size(); }
  StoreResult<> resize(base::ByteCount size) override { return below_->resize(size); }
  std::uint32_t alignment_bytes() const override { return below_->alignment_bytes(); }
  std::string describe() const override { return below_->describe(); }
  StoreResult<> read(base::ByteOffset at, base::ByteSpan into) override {
    return below_->read(at, into);
  }
  StoreResult<> write(base::ByteOffset at, base::ByteView from, Durability durability) override {
    return below_->write(at, from, durability);
  }
  StoreResult<> write_zeros(base::Extent extent) override { return below_->write_zeros(extent); }
  StoreResult<> flush() override { return below_->flush(); }
  StoreResult<> try_read(base::ByteOffset at, base::ByteSpan into) override {
    return below_->try_read(at, into);
  }
  StoreResult<> try_write(base::ByteOffset at, base::ByteView from) override {
    return below_->try_write(at, from);
  }
  std::optional<base::ByteView> lend(base::Extent extent) override { return below_->lend(extent); }
  void forget_cached(base::Extent extent) override { below_->forget_cached(extent); }
  void read_ahead(base::Extent extent) override { below_->read_ahead(extent); }
  Run first_run(base::Extent extent) override { return below_->first_run(extent); }
  bool is_hole(base::Extent extent) override { return below_->is_hole(extent); }
  Usage usage() override { return below_->usage(); }
  std::optional<FileHandle> file() const override { return below_->file(); }
  StoreResult<> reserve(base::Extent extent) override { return below_->reserve(extent); }
  Quota* quota() override { return below_->quota(); }

 protected:
  explicit Filter(std::unique_ptr<Store> below) : below_(std::move(below)) {}
  Store& below() { return *below_; }

 private:
  const std::unique_ptr<Store> below_;
};

}  // namespace store
