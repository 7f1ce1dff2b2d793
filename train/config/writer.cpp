#include "train/config/writer.h"

#include <array>
#include <charconv>
#include <cmath>

#include "data/text/utf8.h"
#include "train/config/utf8.h"
#include "train/config/values.h"

namespace attend::config {

namespace {

// A value about to be printed: a scalar already as JSON text, or members.
struct Written {
    std::string key;
    std::string scalar;   // for an object: empty
    std::string row_key;  // for a selection: the key its row's name stands under
    std::vector<Written> members;
    bool object = false;
};

class Writer final : public ValueVisitor {
  public:
    void selection(const char* name, Selection& value, const char*) override {
        Writer inner;
        const char* key = value.seam().key();
        inner.put(key, in_quotes(value.name()));
        value.options().fields(inner);
        put_object(name, std::move(inner), key);
    }

    Written take() {
        Written w;
        w.object = true;
        w.members = std::move(members_);
        return w;
    }

  protected:
    void nested(const char* name, FunctionRef<void(Visitor&)> fields, const char*) override {
        Writer inner;
        fields(inner);
        put_object(name, std::move(inner), "");
    }

  private:
    void put(const char* name, std::string scalar) override {
        Written w;
        w.key = name;
        w.scalar = std::move(scalar);
        members_.push_back(std::move(w));
    }
    void put_object(const char* name, Writer inner, const char* row_key) {
        Written w = inner.take();
        w.key = name;
        w.row_key = row_key;
        members_.push_back(std::move(w));
    }
    std::vector<Written> members_;
};

Written written(FunctionRef<void(Visitor&)> fields) {
    Writer writer;
    fields(writer);
    return writer.take();
}

std::string on_one_line(const Written& w) {
    if (!w.object)
        return w.scalar;
    std::string text = "{";
    for (std::size_t i = 0; i < w.members.size(); ++i)
        text += (i ? ", " : "") + in_quotes(w.members[i].key) + ": " + on_one_line(w.members[i]);
    return text + "}";
}

constexpr std::size_t columns = 100;

// `before` is what stands on the line already.
std::string print(const Written& w, std::size_t indent, std::size_t before) {
    std::string line = on_one_line(w);
    if (!w.object || w.members.empty() || before + line.size() < columns)
        return line;
    const std::string margin(indent + 2, ' ');
    std::string text = "{\n";
    for (std::size_t i = 0; i < w.members.size(); ++i) {
        const std::string key = margin + in_quotes(w.members[i].key) + ": ";
        text += key + print(w.members[i], indent + 2, key.size()) + (i + 1 < w.members.size() ? ",\n" : "\n");
    }
    return text + std::string(indent, ' ') + "}";
}

const Written* find(const Written& w, const std::string& key) {
    for (const Written& m : w.members)
        if (m.key == key)
            return &m;
    return nullptr;
}

std::string joined(const std::string& path, const std::string& key) { return path.empty() ? key : path + "." + key; }

class Comparer {
  public:
    Comparer(Rows rows, std::vector<Difference>& all) : rows_(rows), all_(all) {}

    void compare(const Written& a, const Written& b, const std::string& path) {
        if (!a.object || !b.object) {
            if (on_one_line(a) != on_one_line(b))
                all_.push_back({path, on_one_line(a), on_one_line(b)});
            return;
        }
        if (!a.row_key.empty() && a.row_key == b.row_key) {
            const std::string &row_a = find(a, a.row_key)->scalar, &row_b = find(b, b.row_key)->scalar;
            if (row_a != row_b && rows_ == Rows::alone)
                return all_.push_back({joined(path, a.row_key), row_a, row_b});
        }
        for (const Written& m : a.members) {
            if (const Written* other = find(b, m.key))
                compare(m, *other, joined(path, m.key));
            else
                add(m, joined(path, m.key), &Difference::before);
        }
        for (const Written& m : b.members)
            if (find(a, m.key) == nullptr)
                add(m, joined(path, m.key), &Difference::after);
    }

  private:
    // What one side alone has.
    void add(const Written& w, const std::string& path, std::string Difference::*side) {
        if (w.object && rows_ == Rows::in_full) {
            for (const Written& m : w.members) add(m, joined(path, m.key), side);
            return;
        }
        Difference d{path, "", ""};
        d.*side = on_one_line(w);
        all_.push_back(std::move(d));
    }

    Rows rows_;
    std::vector<Difference>& all_;
};

}  // namespace

std::string number_text(double value) {
    ensure(std::isfinite(value), "config: a number that is not finite cannot be written: value {}", value);
    std::array<char, 32> text;
    const auto end = std::to_chars(text.data(), text.data() + text.size(), value).ptr;
    return {text.data(), end};
}

std::string in_quotes(std::string_view text) {
    std::string result = "\"";
    if (const std::size_t bad = first_invalid_utf8(text); bad != std::string_view::npos)
        ensure(false, "config: a text that is not UTF-8 cannot be written: '{}', byte {}", utf8::printable(text), bad);
    for (const char c : text) {
        if (c == '"' || c == '\\')
            (result += '\\') += c;
        else if (c == '\n')
            result += "\\n";
        else if (c == '\t')
            result += "\\t";
        else if (static_cast<unsigned char>(c) < 0x20)
            result += fmt::format("\\u{:04x}", static_cast<unsigned>(c));
        else
            result += c;
    }
    return result + "\"";
}

std::string write_fields(FunctionRef<void(Visitor&)> fields) {
    // The outermost object always takes several lines.
    const Written all = written(fields);
    return print(all, 0, columns) + "\n";
}

std::vector<Difference> differences_of_fields(FunctionRef<void(Visitor&)> before, FunctionRef<void(Visitor&)> after,
                                              Rows rows) {
    std::vector<Difference> all;
    Comparer(rows, all).compare(written(before), written(after), "");
    return all;
}

}  // namespace attend::config
