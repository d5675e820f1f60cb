// Copying out of a mapped file, whose pages the kernel may not be able to bring: it then says so by
// SIGBUS.
#pragma once

#include "base/bytes.hpp"

namespace store {

// Once in the process, before the first copy: SIGBUS inside copy_mapped() ends the copy, any other
// goes to who had it before.
void catch_missing_pages();

// False: the pages cannot be read (the file was cut short, the medium failed); what `into` holds is
// not defined.
bool copy_mapped(const std::uint8_t* from, base::ByteSpan into);

}  // namespace store
