#pragma once
/// Complete HTML pages, each in one file that needs no network and no other files. Template, style,
/// scripts and Chart.js are files of assets/, which are embedded when the program is built
/// (embed.cmake).
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "train/records/numbers.h"

namespace attend {

/// The text of an embedded file of assets/, or "chart.min.js". Throws MachineError for a name that
/// is not there.
std::string_view asset(std::string_view name);

/// The value as JSON for a <script> element: only ASCII, without < > &, so that nothing in it ends
/// the element or begins another; JSON.parse() gives back the value. Bytes that are not UTF-8
/// become U+FFFD.
std::string script_json(const Json& value);

/// Text for an element or a quoted attribute; bytes that are not UTF-8 become U+FFFD, control
/// characters blanks.
std::string escaped_html(std::string_view text);

/// A page with this title: style and theme switch, Chart.js and common.js, the JSON value for
/// attend.data, then the assets named `scripts` in their order. The scripts fill the element "main"
/// through the helpers of assets/common.js.
std::string html_page(const std::string& title, const std::vector<std::string_view>& scripts, const Json& data);

/// Whether the file is a page that this program wrote, recognised by its <meta name="generator">; a
/// link is not.
bool is_page(const std::filesystem::path& path);

}  // namespace attend
