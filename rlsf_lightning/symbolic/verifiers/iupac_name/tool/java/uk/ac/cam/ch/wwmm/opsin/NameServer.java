package uk.ac.cam.ch.wwmm.opsin;

import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.lang.reflect.Constructor;
import java.lang.reflect.Field;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.LinkedBlockingQueue;

/**
 * Answers questions about chemical names, one a line, with one line of JSON each. It lies in OPSIN's package because OPSIN
 * hands out neither the tokens of a name, nor which token an atom came from, nor its grammar.
 *
 * <p>Questions (fields separated by tabs): {@code read NAME}, what the name means; {@code parts NAME}, its tokens and the one
 * that each atom came from; {@code try NAME ...}, the SMILES alone of names of bounded size; {@code plain NAME ...}, the SMILES
 * alone, by OPSIN's public interface; {@code judge NAME}, all that this interface says of a name; {@code lenient NAME}, the
 * SMILES and the groups of its stereocentres by this interface, whatever stereochemistry OPSIN cannot assign passed over;
 * {@code reach TEXT}, how far the grammar follows a text.
 *
 * <p>The process ends with its caller, whose end closes the standard input, even in the middle of a name or of its own start.
 */
final class NameServer {
    private static final int MAX_ATOMS = 2000;
    /** Atoms that are made for one name that is tried, and for all that are tried at once. */
    private static final int MOST_MADE = 3000;
    private static final int MOST_MADE_TOGETHER = 20000;
    private static final int MAX_MESSAGE = 4000;
    private static final long STACK_BYTES = 64L << 20;
    private static final String INDEX = "tokenIndex";
    private static final Constructor<SMILESWriter> WRITER = maker();
    private static final Field ORDER = open(SMILESWriter.class, "smilesOutputOrder");
    private static final Field MANAGER = open(BuildState.class, "fragManager");

    private final LinkedBlockingQueue<String> questions;
    private final PrintStream out;
    private final NameToStructure opsin = NameToStructure.getInstance();
    private final Parser parser = (Parser) hidden(NameToStructure.class, "parser", opsin);
    private final SuffixRules suffixRules = (SuffixRules) hidden(NameToStructure.class, "suffixRules", opsin);

    private final Reach reach;

    /** Of the name that was read last: its parse, its tokens, and the writer of its SMILES, if it has one. */
    private String lastName;
    private Element lastParse;
    private List<String> lastTokens;
    private SMILESWriter lastWriter;

    private NameServer(LinkedBlockingQueue<String> questions, PrintStream out) {
        this.questions = questions;
        this.out = out;
        reach = new Reach((ParseRules) hidden(NameToStructure.class, "parseRules", opsin));
    }

    public static void main(String[] arguments) throws Exception {
        PrintStream out = System.out;
        System.setOut(System.err);
        LinkedBlockingQueue<String> questions = new LinkedBlockingQueue<>();
        Thread worker = new Thread(null, () -> serve(questions, out), "names", STACK_BYTES);
        worker.setDaemon(true);
        worker.start();
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        for (String line = in.readLine(); line != null; line = in.readLine()) {
            questions.add(line);
        }
        Runtime.getRuntime().halt(0);
    }

    private static void serve(LinkedBlockingQueue<String> questions, PrintStream out) {
        try {
            NameServer server = new NameServer(questions, out);
            server.say("{\"version\":" + quoted(NameToStructure.getVersion()) + "}");
            server.run();
        } catch (Throwable problem) {
            problem.printStackTrace();
        } finally {
            Runtime.getRuntime().halt(1);
        }
    }

    private void run() {
        while (true) {
            String answer;
            try {
                String[] fields = questions.take().split("\t", -1);
                if (fields[0].equals("read")) {
                    answer = read(fields[1]);
                } else if (fields[0].equals("parts")) {
                    answer = parts(fields[1]);
                } else if (fields[0].equals("try")) {
                    answer = tried(fields);
                } else if (fields[0].equals("plain")) {
                    answer = plain(fields);
                } else if (fields[0].equals("judge")) {
                    answer = judge(fields[1]);
                } else if (fields[0].equals("lenient")) {
                    answer = lenient(fields[1]);
                } else {
                    answer = "{\"reach\":" + reach.of(fields[1]) + "}";
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
        List<String> types = types(detailed.getWarnings());
        String smiles = detailed.getSmiles();
        String message = smiles == null ? detailed.getMessage() : "";
        String rest = smiles == null ? opsin.parseChemicalName(name).getMessage() : "";
        return "{\"smiles\":" + quoted(smiles) + ",\"warnings\":" + types + ",\"message\":" + quoted(message) + ",\"rest\":"
                + quoted(rest) + "}";
    }

    private String lenient(String name) {
        NameToStructureConfig config = config(false);
        config.setWarnRatherThanFailOnUninterpretableStereochemistry(true);
        OpsinResult result = opsin.parseChemicalName(name, config);
        String smiles = result.getSmiles();
        String extended = smiles == null ? "" : result.getExtendedSmiles();
        return "{\"smiles\":" + quoted(smiles) + ",\"extended\":" + quoted(extended) + "}";
    }

    /** Reads a name as OPSIN does: of its parses, the first that can be built without a warning, else the first that can. */
    private String read(String name) throws Exception {
        keep(name, null, new ArrayList<>(), null);
        List<Element> parses;
        String prepared = PreProcessor.preProcess(name);
        try {
            parses = parsed(config(true), prepared);
        } catch (ParsingException problem) {
            return "{\"message\":" + quoted(problem.getMessage()) + ",\"rest\":" + quoted(rest(prepared)) + "}";
        }
        String message = null;
        String warned = null;
        for (Element parse : parses) {
            List<String> tokens = mark(parse);
            if (lastParse == null) {
                keep(name, parse, tokens, null);
            }
            try {
                BuildState state = new BuildState(config(true));
                Fragment molecule = build(parse, state);
                SMILESWriter writer = writer(molecule);
                String smiles = quoted(writer.writeSmiles());
                String answer = "{\"smiles\":" + smiles + ",\"warnings\":" + types(state.getWarnings()) + ",\"relative\":"
                        + isRelative(molecule) + "}";
                if (warned == null || state.getWarnings().isEmpty()) {
                    keep(name, parse, tokens, writer);
                }
                if (state.getWarnings().isEmpty()) {
                    return answer;
                }
                warned = warned == null ? answer : warned;
            } catch (Exception problem) {
                message = message == null ? String.valueOf(problem.getMessage()) : message;
            }
        }
        return warned != null ? warned : "{\"message\":" + quoted(message) + ",\"tokens\":" + lastTokens + "}";
    }

    /** Whether a stereocentre is racemic, or has a configuration only relative to others. */
    private static boolean isRelative(Fragment molecule) {
        for (Atom atom : molecule) {
            AtomParity parity = atom.getAtomParity();
            if (parity != null && parity.getStereoGroup().getType() != StereoGroupType.Abs) {
                return true;
            }
        }
        return false;
    }

    private void keep(String name, Element parse, List<String> tokens, SMILESWriter writer) {
        lastName = name;
        lastParse = parse;
        lastTokens = tokens;
        lastWriter = writer;
    }

    private List<Element> parsed(NameToStructureConfig config, String prepared) throws ParsingException {
        List<Element> parses = parser.parse(config, prepared);
        Collections.sort(parses, new SortParses());
        return parses;
    }

    private Fragment build(Element parse, BuildState state) throws Exception {
        new ComponentGenerator(state).processParse(parse);
        new ComponentProcessor(state, new SuffixApplier(state, suffixRules)).processParse(parse);
        return new StructureBuilder(state).buildFragment(parse);
    }

    private static SMILESWriter writer(Fragment molecule) throws ReflectiveOperationException {
        return WRITER.newInstance(molecule, 0);
    }

    private static Constructor<SMILESWriter> maker() {
        try {
            Constructor<SMILESWriter> maker = SMILESWriter.class.getDeclaredConstructor(Fragment.class, int.class);
            maker.setAccessible(true);
            return maker;
        } catch (ReflectiveOperationException problem) {
            throw new IllegalStateException(problem);
        }
    }

    private static List<String> types(List<OpsinWarning> warnings) {
        List<String> types = new ArrayList<>();
        for (OpsinWarning warning : warnings) {
            types.add(quoted(warning.getType().toString()));
        }
        return types;
    }

    /** The SMILES of each name, read as OPSIN does; empty for what is no name, and for what it makes too many atoms of. */
    private String tried(String[] fields) {
        List<String> found = new ArrayList<>();
        IDManager together = new AtomLimit(MOST_MADE_TOGETHER, null);
        for (int i = 1; i < fields.length; i++) {
            found.add(quoted(tried(fields[i], together)));
        }
        return "{\"smiles\":" + found + "}";
    }

    private String tried(String name, IDManager together) {
        String warned = "";
        try {
            for (Element parse : parsed(config(false), PreProcessor.preProcess(name))) {
                try {
                    BuildState state = new BuildState(config(false));
                    IDManager ids = new AtomLimit(MOST_MADE, together);
                    MANAGER.set(state, new FragmentManager(new SMILESFragmentBuilder(ids), ids));
                    String smiles = writer(build(parse, state)).writeSmiles();
                    if (state.getWarnings().isEmpty()) {
                        return smiles;
                    }
                    warned = warned.isEmpty() ? smiles : warned;
                } catch (Exception problem) {
                    // the next parse may do
                }
            }
        } catch (ParsingException | PreProcessingException problem) {
            // no name
        }
        return warned;
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

    /** The tokens of a name, how many atoms its SMILES has, and their owners, in its order. */
    private String parts(String name) throws Exception {
        if (!name.equals(lastName)) {
            read(name);
        }
        List<?> order = lastWriter == null ? new ArrayList<>() : (List<?>) ORDER.get(lastWriter);
        List<Integer> owners = new ArrayList<>();
        if (lastWriter != null && order.size() <= MAX_ATOMS) {
            Map<Atom, Integer> owner = owners(lastParse);
            for (Object atom : order) {
                int index = owner.getOrDefault(atom, -1);
                boolean isOfSuffix = index >= 0 && "suffix".equals(((Atom) atom).getType());
                owners.add(isOfSuffix ? -2 - index : index);
            }
        }
        return "{\"tokens\":" + lastTokens + ",\"atoms\":" + order.size() + ",\"owners\":" + owners + "}";
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

    private static Field open(Class<?> owner, String field) {
        try {
            Field found = owner.getDeclaredField(field);
            found.setAccessible(true);
            return found;
        } catch (ReflectiveOperationException problem) {
            throw new IllegalStateException(problem);
        }
    }

    static Object hidden(Class<?> owner, String field, Object of) {
        try {
            return open(owner, field).get(of);
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
