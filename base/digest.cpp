#include "base/digest.hpp"

#include <openssl/evp.h>

#include <new>

namespace base {

struct Sha256::Context {
  EVP_MD_CTX* evp = EVP_MD_CTX_new();
  ~Context() { EVP_MD_CTX_free(evp); }
};

Sha256::Sha256() : context_(std::make_unique<Context>()) {
  if (EVP_DigestInit_ex(context_->evp, EVP_sha256(), nullptr) != 1) throw std::bad_alloc();
}
Sha256::~Sha256() = default;

void Sha256::add(ByteView bytes) { EVP_DigestUpdate(context_->evp, bytes.data(), bytes.size()); }

Sha256Digest Sha256::finish() {
  Sha256Digest out{};
  unsigned size = 0;
  EVP_DigestFinal_ex(context_->evp, out.data(), &size);
  return out;
}

Sha256Digest sha256(ByteView bytes) {
  Sha256 hash;
  hash.add(bytes);
  return hash.finish();
}

std::string to_hex(ByteView bytes) {
  constexpr char digits[] = "0123456789abcdef";
  std::string out;
  out.reserve(bytes.size() * 2);
  for (const std::uint8_t byte : bytes) {
    out.push_back(digits[byte >> 4]);
    out.push_back(digits[byte & 0x0f]);
  }
  return out;
}

}  // namespace base
