#include "base/digest.hpp"

#include <new>

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/kdf.h>

namespace base {
namespace {

const EVP_MD* evp_of(HashAlgorithm algorithm) {
  switch (algorithm) {
    case HashAlgorithm::md5:
      return EVP_md5();
    case HashAlgorithm::sha1:
      return EVP_sha1();
    case HashAlgorithm::sha256:
      return EVP_sha256();
    case HashAlgorithm::sha3_256:
      return EVP_sha3_256();
  }
  return nullptr;
}

}  // namespace

struct Sha256::Context {
  EVP_MD_CTX* evp = EVP_MD_CTX_new();
  ~Context() { EVP_MD_CTX_free(evp); }
};

Sha256::Sha256() : context_(std::make_unique<Context>()) {
  if (EVP_DigestInit_ex(context_->evp, EVP_sha256(), nullptr) != 1) throw std::bad_alloc();
}
Sha256::~Sha256() = default;

void Sha256::add(ByteView bytes) {
  EVP_DigestUpdate(context_->evp, bytes.data(), bytes.size());
}

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

std::vector<std::uint8_t> hash(HashAlgorithm algorithm, std::initializer_list<ByteView> parts) {
  const EVP_MD* md = evp_of(algorithm);
  const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context(EVP_MD_CTX_new(),
                                                                        EVP_MD_CTX_free);
  if (context == nullptr || EVP_DigestInit_ex(context.get(), md, nullptr) != 1) {
    throw std::bad_alloc();
  }
  for (const ByteView part : parts)
    EVP_DigestUpdate(context.get(), part.data(), part.size());
  std::vector<std::uint8_t> out(static_cast<std::size_t>(EVP_MD_size(md)));
  EVP_DigestFinal_ex(context.get(), out.data(), nullptr);
  return out;
}

Sha256Digest hmac_sha256(ByteView key, ByteView bytes) {
  Sha256Digest out{};
  unsigned size = 0;
  if (HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()), bytes.data(), bytes.size(),
           out.data(), &size) == nullptr) {
    throw std::bad_alloc();
  }
  return out;
}

std::vector<std::uint8_t> hkdf_sha256(ByteView secret, ByteView salt, ByteView info,
                                      std::size_t bytes) {
  const std::unique_ptr<EVP_PKEY_CTX, decltype(&EVP_PKEY_CTX_free)> context(
      EVP_PKEY_CTX_new_id(EVP_PKEY_HKDF, nullptr), EVP_PKEY_CTX_free);
  std::vector<std::uint8_t> out(bytes);
  std::size_t length = bytes;
  EVP_PKEY_CTX* const c = context.get();
  const bool derived =
      c != nullptr && EVP_PKEY_derive_init(c) == 1 &&
      EVP_PKEY_CTX_set_hkdf_md(c, EVP_sha256()) == 1 &&
      (salt.empty() ||
       EVP_PKEY_CTX_set1_hkdf_salt(c, salt.data(), static_cast<int>(salt.size())) == 1) &&
      EVP_PKEY_CTX_set1_hkdf_key(c, secret.data(), static_cast<int>(secret.size())) == 1 &&
      (info.empty() ||
       EVP_PKEY_CTX_add1_hkdf_info(c, info.data(), static_cast<int>(info.size())) == 1) &&
      EVP_PKEY_derive(c, out.data(), &length) == 1;
  if (!derived || length != bytes) throw std::bad_alloc();
  return out;
}

bool equal_in_constant_time(ByteView a, ByteView b) {
  return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
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
