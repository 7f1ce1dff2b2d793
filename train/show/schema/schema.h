#pragma once
/// The JSON Schema (draft 2020-12) of a config, made from the options' listing: what `attend
/// schema` prints, for editors and for programs that write configs.
#include <nlohmann/json.hpp>
#include <vector>

#include "train/config/describe.h"

namespace attend::schema {

using Json = nlohmann::ordered_json;

/// The schema of a config: an object with its options and no others, each with its type, range,
/// default and help. A selection is the name of a row, or an object that names the row (it need not
/// name the seam's fallback row) and has that row's options. It accepts what the reader accepts, except that it allows NUL
/// characters in texts. "data" and "model" are required; "$schema" may stand beside the options.
Json config_schema();

/// The schema of an object with these options (describe() with SeamRows::all).
Json options_schema(const std::vector<config::Option>& options);

/// The schema of a comparison's config: "variants" are objects of key paths, whose values it does
/// not check.
Json comparison_schema();

}  // namespace attend::schema
