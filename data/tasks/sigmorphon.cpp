#include "data/tasks/sigmorphon.h"

#include "core/base/interruption.h"
#include "data/text/columns.h"
#include "data/text/lines.h"

namespace attend {

namespace {

// A tag's symbol is its name in angle brackets, so that the tag "N" is not the letter "N": a
// character is never that long.
bool is_tag(std::string_view symbol) { return symbol.size() >= 3 && symbol.starts_with('<') && symbol.ends_with('>'); }

class InflectionTokenizer final : public Tokenizer {
  public:
    explicit InflectionTokenizer(Vocabulary vocabulary, std::string_view where = "vocabulary")
        : vocabulary_(std::move(vocabulary)) {
        for (const std::string& s : vocabulary_.symbols())
            require(first_invalid_utf8(s) == std::string_view::npos && (is_tag(s) || utf8_size(s, 0) == s.size()),
                    "{}: a symbol is neither a tag nor a character: symbol '{}', {} bytes", where, s, s.size());
    }

    // Calls take(symbol) for the symbols of a line.
    template <class F>
    static void each_symbol(std::string_view line, const Place& place, F take) {
        require_utf8(line, place);
        const std::vector<std::string_view> columns = split_columns(line);
        require(columns.size() == 2, "{}: a source is a lemma, a tab, and tags: columns {}, needed 2", place.text(),
                columns.size());
        const std::string_view lemma = columns[0];
        require(!lemma.empty(), "{}: the lemma is empty: bytes 0, needed at least 1", place.text());
        int64_t number = 0;
        for (const std::string_view tag : split_columns(columns[1], ';')) {
            ++number;
            require(!tag.empty(), "{}: a tag is empty: tag {} of '{}', bytes 0, needed at least 1", place.text(), number,
                    columns[1]);
            take("<" + std::string(tag) + ">");
        }
        for (std::size_t at = 0; at < lemma.size();) {
            const std::size_t size = utf8_size(lemma, at);
            take(std::string(lemma.substr(at, size)));
            at += size;
        }
    }

    int64_t size() const override { return vocabulary_.size(); }
    std::vector<int32_t> encode(std::string_view line, const Place& place) const override {
        std::vector<int32_t> ids;
        each_symbol(line, place, [&](const std::string& symbol) { ids.push_back(vocabulary_.id(symbol)); });
        return ids;
    }
    std::vector<std::string> cut(std::string_view line) const override {
        std::vector<std::string> symbols;
        each_symbol(line, Place{}, [&](std::string symbol) { symbols.push_back(std::move(symbol)); });
        return symbols;
    }
    std::string decode(std::span<const int32_t> ids) const override {
        std::string lemma, tags;
        for (int32_t id : ids) {
            const std::string& symbol = vocabulary_.symbol(id);
            if (id >= first_free_id && is_tag(symbol))
                tags += (tags.empty() ? "" : ";") + symbol.substr(1, symbol.size() - 2);
            else
                lemma += symbol;
        }
        return lemma + "\t" + tags;
    }
    std::string normal_form(std::string_view line) const override { return std::string(line); }
    std::string symbol(int32_t id) const override { return vocabulary_.symbol(id); }
    void save(const std::string& file) const override { vocabulary_.save(file); }

  private:
    Vocabulary vocabulary_;
};

PairRows read_rows(Split split, const std::string& file) {
    const TextFile text = read_split(split, file);
    PairRows rows{{file, {}}, {file, {}}};
    for (int64_t i = 0; i < text.lines.size(); ++i) {
        const auto columns = columns_of(text, i, 3, "lemma, form, tags; lines without a form are for 'attend translate'");
        rows.source.lines.add(fmt::format("{}\t{}", columns[0], columns[2]));
        rows.target.lines.add(columns[1]);
    }
    return rows;
}

// Of lemmas with their tags and, where there are such lines, of forms.
Vocabulary learn(const TokenizerSetup& setup) {
    SymbolCounter counter;
    setup.each_piece([&](std::string_view line, const Place& place) {
        interruption_point();
        if (line.find('\t') != std::string_view::npos)
            return InflectionTokenizer::each_symbol(line, place, [&](const std::string& symbol) { counter.add(symbol); });
        require_utf8(line, place);
        for (std::size_t at = 0; at < line.size(); at += utf8_size(line, at)) counter.add(line.substr(at, utf8_size(line, at)));
    });
    return counter.vocabulary(setup.limits);
}

// How sources and targets are cut with one vocabulary: the tags, and the code points of lemmas and
// forms. Of the lines to learn from, those with a tab are sources.
std::array<std::shared_ptr<const Tokenizer>, 2> joint_inflection_tokenizers(const TokenizerSetup& setup) {
    const Vocabulary both = setup.saved.empty() ? learn(setup) : Vocabulary::load(setup.saved);
    return {std::make_shared<InflectionTokenizer>(both, setup.saved.empty() ? "vocabulary" : std::string_view(setup.saved)),
            char_tokenizer(both, Others::allowed)};
}

}  // namespace

std::unique_ptr<Tokenizer> inflection_tokenizer(const TokenizerSetup& setup) {
    if (!setup.saved.empty())
        return std::make_unique<InflectionTokenizer>(Vocabulary::load(setup.saved), setup.saved);
    return std::make_unique<InflectionTokenizer>(learn(setup));
}

std::unique_ptr<Task> sigmorphon_task(const SigmorphonOptions& options, const TaskSetup& setup) {
    PairTask task;
    task.name = "sigmorphon";
    task.metrics = {"accuracy", "exact_match", "edit_distance", "symbol_error_rate", "attention_entropy"};
    // Forms are about as long as the lemma, particles and prefixes apart.
    task.limit_factor = 2;
    task.limit_constant = 20;
    PairFiles files;
    files.read = [&](Split split) {
        const std::string& file = options.of(split);
        return split != Split::train && file.empty() ? PairRows{} : read_rows(split, file);
    };
    files.source_tokenizer = inflection_tokenizer;
    files.target_tokenizer = [](const TokenizerSetup& s) {
        return tokenizer_table().build(Selection(tokenizer_table(), "char"), s);
    };
    if (options.joint_vocabulary)
        files.joint_tokenizers = joint_inflection_tokenizers;
    return file_pairs_task(std::move(task), files, options, "each", setup);
}

}  // namespace attend
