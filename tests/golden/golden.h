#pragma once
/// Opens golden cases (tests/golden/README.md names their tensors).
#include <cstdlib>
#include <filesystem>
#include <string>

#include "core/safetensors.h"

namespace attend::ATTEND_PRECISION::golden {

/// The committed values, or the folder that the environment variable ATTEND_GOLDEN_DIR names.
inline std::filesystem::path folder() {
    const char* given = std::getenv("ATTEND_GOLDEN_DIR");
    if (given != nullptr && *given != '\0')
        return given;
    return std::filesystem::path(ATTEND_SOURCE_DIR) / "tests" / "golden" / "values";
}

/// The case of that name. Throws Error when there is none.
inline SafetensorsFile open(const std::string& name) { return SafetensorsFile(folder() / (name + ".safetensors")); }

/// A metadata value. Throws Error when the case has none of that name.
inline std::string text(const SafetensorsFile& file, const std::string& key) {
    const auto found = file.metadata().find(key);
    require(found != file.metadata().end(), "{}: no metadata of that name: '{}', {} names there", file.path().string(), key,
            file.metadata().size());
    return found->second;
}

}  // namespace attend::ATTEND_PRECISION::golden
