#pragma once
/// The bytes of a packed file. What UnpackingReader chooses between.
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "core/base/integers.h"

namespace attend {

/// Where bytes come from.
class ByteSource {
  public:
    virtual ~ByteSource() = default;
    /// The next bytes, into the front of `to`, which is not empty; how many, 0 at the end. Throws
    /// Error naming the file, with ", after line LINES" at the end.
    virtual std::size_t read(std::span<char> to, std::size_t lines) = 0;
};

/// A way of packing.
struct Packing {
    std::string_view name, ending;  ///< "gzip", ".gz"
    std::string_view magic;         ///< the first bytes
    std::unique_ptr<ByteSource> (*open)(const std::string& file, int descriptor);
};
std::span<const Packing> packings();

/// The bytes of a file as they are, of gzip data, and of what libarchive unpacks; from the place on
/// where `descriptor` is, which stays its owner's. `file` is for messages.
std::unique_ptr<ByteSource> plain_source(const std::string& file, int descriptor);
std::unique_ptr<ByteSource> gzip_source(const std::string& file, int descriptor);
std::unique_ptr<ByteSource> archive_source(const std::string& file, int descriptor);

}  // namespace attend
