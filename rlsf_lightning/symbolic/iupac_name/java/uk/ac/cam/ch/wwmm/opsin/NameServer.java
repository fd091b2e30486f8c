package uk.ac.cam.ch.wwmm.opsin;

import dk.brics.automaton.RunAutomaton;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.lang.reflect.Constructor;
import java.lang.reflect.Field;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.Collections;
import java.util.HashMap;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.LinkedBlockingQueue;

/**
 * Answers questions about chemical names, one a line, with one line of JSON each. It lies in OPSIN's package because OPSIN
 * hands out neither the tokens of a name, nor which token an atom came from, nor its grammar.
 *
 * <p>Questions (fields separated by tabs): {@code read NAME}, what the name means, token by token; {@code plain NAME ...}, the
 * SMILES alone, by OPSIN's public interface; {@code judge NAME}, all that this interface says of a name; {@code reach TEXT},
 * how far the grammar follows a text.
 *
 * <p>The process ends with its caller, whose end closes the standard input, even in the middle of a name.
 */
final class NameServer implements Runnable {
    private static final int MAX_ATOMS = 2000;
    private static final int MAX_MESSAGE = 4000;
    private static final long STACK_BYTES = 64L << 20;
    private static final String[] PHRASES = {"and ", "compound with ", "compd. with "};
    private static final String INDEX = "tokenIndex";

    private final LinkedBlockingQueue<String> questions = new LinkedBlockingQueue<>();
    private final PrintStream out;
    private final NameToStructure opsin = NameToStructure.getInstance();
    private final Parser parser = (Parser) hidden(NameToStructure.class, "parser", opsin);
    private final SuffixRules suffixRules = (SuffixRules) hidden(NameToStructure.class, "suffixRules", opsin);

    private final RunAutomaton grammar;
    private final char[] symbols;
    private final RunAutomaton[] expressions;
    private final Map<String, BitSet[]> words = new HashMap<>();
    private final BitSet emptyTokens = new BitSet();
    private final BitSet accepting = new BitSet();
    private final BitSet everywhere = new BitSet();
    private final BitSet[] steps;

    private NameServer(PrintStream out) throws Exception {
        this.out = out;
        ParseRules rules = (ParseRules) hidden(NameToStructure.class, "parseRules", opsin);
        grammar = (RunAutomaton) hidden(ParseRules.class, "chemAutomaton", rules);
        symbols = (char[]) hidden(ParseRules.class, "stateSymbols", rules);
        expressions = (RunAutomaton[]) hidden(ParseRules.class, "symbolRegexAutomataDict", rules);
        Object[] lookarounds = (Object[]) hidden(ParseRules.class, "symbolRegexesDict", rules);
        OpsinRadixTrie[] tries = (OpsinRadixTrie[]) hidden(ParseRules.class, "symbolTokenNamesDict", rules);
        for (int i = 0; i < symbols.length; i++) {
            if (lookarounds[i] != null) {
                emptyTokens.set(i);
            }
            if (tries[i] != null) {
                collect(tries[i].rootNode, "", i);
            }
        }
        steps = new BitSet[symbols.length];
        for (int state = 0; state < grammar.getSize(); state++) {
            accepting.set(state, grammar.isAccept(state));
        }
        for (int i = 0; i < symbols.length; i++) {
            BitSet all = new BitSet();
            all.set(0, grammar.getSize());
            steps[i] = step(all, i);
        }
        everywhere.set(0, grammar.getSize());
    }

    public static void main(String[] arguments) throws Exception {
        PrintStream out = System.out;
        System.setOut(System.err);
        NameServer server = new NameServer(out);
        Thread worker = new Thread(null, server, "names", STACK_BYTES);
        worker.setDaemon(true);
        worker.start();
        server.say("{\"version\":" + quoted(NameToStructure.getVersion()) + "}");
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        for (String line = in.readLine(); line != null; line = in.readLine()) {
            server.questions.add(line);
        }
        Runtime.getRuntime().halt(0);
    }

    @Override
    public void run() {
        while (true) {
            String answer;
            try {
                String[] fields = questions.take().split("\t", -1);
                if (fields[0].equals("read")) {
                    answer = read(fields[1]);
                } else if (fields[0].equals("plain")) {
                    answer = plain(fields);
                } else if (fields[0].equals("judge")) {
                    answer = judge(fields[1]);
                } else {
                    answer = "{\"reach\":" + reach(fields[1]) + "}";
                }
            } catch (Throwable problem) {
                answer = "{\"error\":" + quoted(String.valueOf(problem)) + "}";
            }
            say(answer);
        }
    }

    private void say(String line) {
        byte[] bytes = (line + "\n").getBytes(StandardCharsets.UTF_8);
        out.write(bytes, 0, bytes.length);
        out.flush();
    }

    private String plain(String[] fields) {
        List<String> found = new ArrayList<>();
        for (int i = 1; i < fields.length; i++) {
            String smiles = opsin.parseChemicalName(fields[i]).getSmiles();
            found.add(quoted(smiles == null ? "" : smiles));
        }
        return "{\"smiles\":" + found + "}";
    }

    private String judge(String name) {
        OpsinResult detailed = opsin.parseChemicalName(name, config(true));
        List<String> types = new ArrayList<>();
        for (OpsinWarning warning : detailed.getWarnings()) {
            types.add(quoted(warning.getType().toString()));
        }
        String smiles = detailed.getSmiles();
        String message = smiles == null ? detailed.getMessage() : "";
        String rest = smiles == null ? opsin.parseChemicalName(name).getMessage() : "";
        return "{\"smiles\":" + quoted(smiles) + ",\"warnings\":" + types + ",\"message\":" + quoted(message) + ",\"rest\":"
                + quoted(rest) + "}";
    }

    /** Reads a name as OPSIN does: of its parses, the first that can be built without a warning, else the first that can. */
    private String read(String name) throws Exception {
        List<Element> parses;
        String prepared = PreProcessor.preProcess(name);
        try {
            parses = parser.parse(config(true), prepared);
            Collections.sort(parses, new SortParses());
        } catch (ParsingException problem) {
            return "{\"message\":" + quoted(problem.getMessage()) + ",\"rest\":" + quoted(rest(prepared)) + "}";
        }
        String message = null;
        String warned = null;
        List<String> tokens = new ArrayList<>();
        for (Element parse : parses) {
            List<String> tried = mark(parse);
            if (tokens.isEmpty()) {
                tokens = tried;
            }
            try {
                BuildState state = new BuildState(config(true));
                new ComponentGenerator(state).processParse(parse);
                new ComponentProcessor(state, new SuffixApplier(state, suffixRules)).processParse(parse);
                Fragment molecule = new StructureBuilder(state).buildFragment(parse);
                String answer = describe(parse, molecule, tried, state.getWarnings());
                if (state.getWarnings().isEmpty()) {
                    return answer;
                }
                warned = warned == null ? answer : warned;
            } catch (Exception problem) {
                message = message == null ? String.valueOf(problem.getMessage()) : message;
            }
        }
        return warned != null ? warned : "{\"message\":" + quoted(message) + ",\"tokens\":" + tokens + "}";
    }

    private static NameToStructureConfig config(boolean detailed) {
        NameToStructureConfig config = new NameToStructureConfig();
        config.setDetailedFailureAnalysis(detailed);
        return config;
    }

    /** What OPSIN says of an unreadable name when it reads from left to right alone: it names the rest of the name. */
    private String rest(String prepared) {
        try {
            parser.parse(config(false), prepared);
            return "";
        } catch (ParsingException problem) {
            return problem.getMessage();
        }
    }

    /** Numbers the tokens of a parse; copies that OPSIN makes of an element keep its number. */
    private static List<String> mark(Element parse) {
        List<String> tokens = new ArrayList<>();
        Map<Element, Integer> chunks = new IdentityHashMap<>();
        List<Element> open = new ArrayList<>();
        open.add(parse);
        while (!open.isEmpty()) {
            Element element = open.remove(open.size() - 1);
            if (element instanceof TokenEl) {
                chunks.putIfAbsent(element.getParent(), chunks.size());
                element.addAttribute(INDEX, String.valueOf(tokens.size()));
                String tag = quoted(element.getName());
                tokens.add("[" + chunks.get(element.getParent()) + "," + tag + "," + quoted(element.getValue()) + "]");
            } else {
                List<Element> children = element.getChildElements();
                for (int i = children.size() - 1; i >= 0; i--) {
                    open.add(children.get(i));
                }
            }
        }
        return tokens;
    }

    private static String describe(Element parse, Fragment molecule, List<String> tokens, List<OpsinWarning> warnings)
            throws Exception {
        List<String> types = new ArrayList<>();
        for (OpsinWarning warning : warnings) {
            types.add(quoted(warning.getType().toString()));
        }
        List<Integer> owners = new ArrayList<>();
        Constructor<SMILESWriter> maker = SMILESWriter.class.getDeclaredConstructor(Fragment.class, int.class);
        maker.setAccessible(true);
        SMILESWriter writer = maker.newInstance(molecule, 0);
        String smiles = writer.writeSmiles();
        List<?> order = (List<?>) hidden(SMILESWriter.class, "smilesOutputOrder", writer);
        if (order.size() <= MAX_ATOMS) {
            Map<Atom, Integer> owner = owners(parse);
            for (Object atom : order) {
                int index = owner.getOrDefault(atom, -1);
                boolean isOfSuffix = index >= 0 && "suffix".equals(((Atom) atom).getType());
                owners.add(isOfSuffix ? -2 - index : index);
            }
        }
        return "{\"smiles\":" + quoted(smiles) + ",\"atoms\":" + order.size() + ",\"warnings\":" + types + ",\"tokens\":" + tokens
                + ",\"owners\":" + owners + "}";
    }

    /** The token i that each atom came from (-2 - i: from a suffix of it): that of the smallest fragment in which it was. */
    private static Map<Atom, Integer> owners(Element parse) {
        Map<Atom, Integer> owner = new IdentityHashMap<>();
        Map<Atom, Integer> size = new IdentityHashMap<>();
        List<Element> open = new ArrayList<>();
        open.add(parse);
        while (!open.isEmpty()) {
            Element element = open.remove(open.size() - 1);
            if (!(element instanceof TokenEl)) {
                open.addAll(element.getChildElements());
                continue;
            }
            String index = element.getAttributeValue(INDEX);
            if (index != null && element.getFrag() != null) {
                List<Atom> atoms = element.getFrag().getAtomList();
                for (Atom atom : atoms) {
                    if (atoms.size() < size.getOrDefault(atom, Integer.MAX_VALUE)) {
                        owner.put(atom, Integer.valueOf(index));
                        size.put(atom, atoms.size());
                    }
                }
            }
        }
        return owner;
    }

    /**
     * How many characters of a text the grammar can follow, at best, whatever comes after them. A word may begin in the
     * middle of another one (inverted names put parts in front of it), and a new word may begin wherever one may end.
     */
    private int reach(String text) {
        String lower = StringTools.lowerCaseAsciiString(text);
        int length = text.length();
        BitSet[] at = new BitSet[length + 1];
        for (int i = 1; i <= length; i++) {
            at[i] = new BitSet();
        }
        at[0] = (BitSet) everywhere.clone();
        int reached = 0;
        for (int from = 0; from <= length; from++) {
            if (at[from].isEmpty()) {
                continue;
            }
            reached = Math.max(reached, from);
            if (from > 0) {
                close(at[from]);
            }
            if (at[from].intersects(accepting)) {
                at[from].set(grammar.getInitialState());
                for (String phrase : PHRASES) {
                    reached = Math.max(reached, from + shared(lower, from, phrase));
                }
                if (from < length && text.charAt(from) == '-') {
                    BitSet ended = (BitSet) at[from].clone();
                    ended.and(accepting);
                    at[from + 1].or(ended);
                    at[from + 1].set(grammar.getInitialState());
                }
            }
            if (from > 0) {
                close(at[from]); // a new word may begin with tokens without a character too
            }
            reached = follow(text, lower, from, at, reached);
        }
        return Math.min(reached, length);
    }

    /** Takes every token that begins here; the new value of what is reached. */
    private int follow(String text, String lower, int from, BitSet[] at, int reached) {
        List<BitSet> ends = new ArrayList<>();
        int[] best = new int[symbols.length];
        for (int end = from + 1; end <= lower.length(); end++) {
            BitSet[] known = words.get(lower.substring(from, end));
            if (known == null) {
                break;
            }
            for (int symbol = known[0].nextSetBit(0); symbol >= 0; symbol = known[0].nextSetBit(symbol + 1)) {
                best[symbol] = end;
            }
            ends.add(known[1]);
        }
        for (int symbol = 0; symbol < symbols.length; symbol++) {
            int last = expressions[symbol] == null ? -1 : run(expressions[symbol], text, from, best, symbol);
            BitSet next = null;
            for (int end = from; end <= from + ends.size(); end++) {
                if (end == last || (end > from && ends.get(end - from - 1).get(symbol))) {
                    next = next == null ? step(at[from], symbol) : next;
                    at[end].or(next);
                }
            }
            if (last > from + ends.size()) {
                next = next == null ? step(at[from], symbol) : next;
                at[last].or(next);
            }
            if (best[symbol] > reached && !(next == null ? step(at[from], symbol) : next).isEmpty()) {
                reached = best[symbol];
            }
        }
        return reached;
    }

    /** The end of the longest match of an expression, or -1; how far a match may begin is put into {@code best}. */
    private static int run(RunAutomaton expression, String text, int from, int[] best, int symbol) {
        int state = expression.getInitialState();
        int last = -1;
        for (int end = from; state != -1; end++) {
            best[symbol] = Math.max(best[symbol], end);
            last = expression.isAccept(state) ? end : last;
            if (end == text.length()) {
                break;
            }
            state = expression.step(state, text.charAt(end));
        }
        return last;
    }

    private BitSet step(BitSet states, int symbol) {
        BitSet next = new BitSet();
        if (states.cardinality() == everywhere.cardinality()) {
            return steps[symbol];
        }
        for (int state = states.nextSetBit(0); state >= 0; state = states.nextSetBit(state + 1)) {
            int target = grammar.step(state, symbols[symbol]);
            if (target != -1) {
                next.set(target);
            }
        }
        return next;
    }

    /** Adds the states that tokens without a character lead to. */
    private void close(BitSet states) {
        BitSet added = states;
        while (!added.isEmpty()) {
            BitSet next = new BitSet();
            for (int symbol = emptyTokens.nextSetBit(0); symbol >= 0; symbol = emptyTokens.nextSetBit(symbol + 1)) {
                next.or(step(added, symbol));
            }
            next.andNot(states);
            states.or(next);
            added = next;
        }
    }

    private static int shared(String text, int from, String phrase) {
        int length = 0;
        while (length < phrase.length() && from + length < text.length() && text.charAt(from + length) == phrase.charAt(length)) {
            length++;
        }
        return length;
    }

    /** Enters every word of a kind, and every beginning of one: which kinds have words that begin so, and that are so. */
    private void collect(OpsinTrieNode node, String before, int symbol) {
        String here = before + node.getValue();
        for (int end = before.length() + 1; end <= here.length(); end++) {
            words.computeIfAbsent(here.substring(0, end), key -> new BitSet[] {new BitSet(), new BitSet()})[0].set(symbol);
        }
        if (node.isEndPoint() && here.isEmpty()) {
            emptyTokens.set(symbol);
        } else if (node.isEndPoint()) {
            words.get(here)[1].set(symbol);
        }
        for (OpsinTrieNode child : (OpsinTrieNode[]) hidden(OpsinTrieNode.class, "children", node)) {
            if (child != null) {
                collect(child, here, symbol);
            }
        }
    }

    private static Object hidden(Class<?> owner, String field, Object of) {
        try {
            Field found = owner.getDeclaredField(field);
            found.setAccessible(true);
            return found.get(of);
        } catch (ReflectiveOperationException problem) {
            throw new IllegalStateException(problem);
        }
    }

    private static String quoted(String text) {
        String short_ = text == null ? "" : text.length() > MAX_MESSAGE ? text.substring(0, MAX_MESSAGE) : text;
        StringBuilder quoted = new StringBuilder("\"");
        for (char character : short_.toCharArray()) {
            if (character < ' ' || character > '~' || character == '"' || character == '\\') {
                quoted.append(String.format("\\u%04x", (int) character));
            } else {
                quoted.append(character);
            }
        }
        return quoted.append('"').toString();
    }
}
