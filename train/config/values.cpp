#include "train/config/values.h"

namespace attend::config {

namespace {

std::string list_of(const std::vector<std::string>& items) {
    std::string text = "[";
    for (std::size_t i = 0; i < items.size(); ++i) text += (i ? ", " : "") + items[i];
    return text + "]";
}

}  // namespace

void ValueVisitor::integer(const char* name, int64_t& value, Bounds<int64_t> bounds, const char*) {
    put(name, bounds.automatic != nullptr && value == 0 ? in_quotes(bounds.automatic) : std::to_string(value));
}
void ValueVisitor::number(const char* name, double& value, Bounds<double> bounds, const char*) {
    put(name, bounds.automatic != nullptr && value == 0 ? in_quotes(bounds.automatic) : number_text(value));
}
void ValueVisitor::flag(const char* name, bool& value, const char*) { put(name, value ? "true" : "false"); }
void ValueVisitor::text(const char* name, std::string& value, const char*) { put(name, in_quotes(value)); }
void ValueVisitor::choice(const char* name, std::string& value, std::vector<std::string>, const char*) {
    put(name, in_quotes(value));
}
void ValueVisitor::path(const char* name, std::string& value, const char*) { put(name, in_quotes(value)); }
void ValueVisitor::paths(const char* name, std::vector<std::string>& value, const char*) {
    std::vector<std::string> items;
    for (const std::string& p : value) items.push_back(in_quotes(p));
    put(name, items.size() == 1 ? items[0] : list_of(items));
}
void ValueVisitor::numbers(const char* name, std::vector<double>& value, Bounds<double>, bool, const char*) {
    std::vector<std::string> items;
    for (const double x : value) items.push_back(number_text(x));
    put(name, list_of(items));
}

}  // namespace attend::config
