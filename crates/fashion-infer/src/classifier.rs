//! A trained classifier as one file.

use crate::bins::ClassBins;
use crate::calibration::Calibration;
use crate::error::Error;
use crate::graph::{Graph, ImageShape, Op, Value};
use crate::novelty::Novelty;
use crate::plan::Plan;
use crate::tensors::{self, Metadata, Tensors};
use crate::tta::Tta;
use fashion_kernels::loss;
use std::collections::BTreeSet;
use std::path::Path;

/// The format of a file that has a graph, under `format` in its metadata.
pub const FORMAT: &str = "fashion-classifier/2";

/// The most networks of a classifier.
pub const MAX_MEMBERS: usize = 64;

/// The most multiplications with an addition that its networks take together for an image: 2³⁶, some
/// seconds' work.
pub const MAX_MULTIPLY_ADDS: u64 = 1 << 36;

/// How pixels are prepared: k / 255.
pub const NORMALISATION: &str = "0-1";

/// The key in the metadata under which it stands how pictures are prepared that are not as the network takes
/// them, if those that it was trained on were.
pub const PREPARATION: &str = "preparation";

/// What the names of tensors begin with that are no network's, but statistics of known images.
pub const STATISTICS: &str = "statistics.";

/// One network of a classifier.
#[derive(Debug)]
pub struct Member {
    /// What it computes.
    pub graph: Graph,
    /// Its weights, packed.
    pub plan: Plan,
}

/// A classifier for use, of one network or of several whose probabilities are averaged.
///
/// Its file is safetensors: tensors with PyTorch's names and layouts, and in the metadata `format`
/// ([`FORMAT`]), `graph` (a [`Graph`] as JSON, or an array of the members' graphs, whose tensors then
/// begin with `0.`, `1.` and so on), `classes` (a JSON array of names), `normalisation`
/// ([`NORMALISATION`]), what [`Calibration`], [`Tta`], [`ClassBins`] and [`Novelty`] know, and whatever else
/// its writer has put there.
/// Files without a graph are of the network `report-cnn`, the only one there was when they were written.
///
/// What is averaged is each member's plain softmax, and the one temperature is applied to the mean: means
/// of members that are calibrated each are less sure than they are right, and need another temperature
/// anyway (Rahaman and Thiery, 2021, arXiv 2007.08792; Wu and Gales, 2021, arXiv 2101.05397).
///
/// All of it is checked before a kernel runs.
#[derive(Debug)]
pub struct Classifier {
    members: Vec<Member>,
    classes: Vec<String>,
    calibration: Option<Calibration>,
    tta: Tta,
    bins: Option<ClassBins>,
    novelty: Option<Novelty>,
    metadata: Metadata,
}

impl Classifier {
    /// Reads a file.
    ///
    /// # Errors
    /// [`Error::File`] with what is wrong.
    pub fn open(path: &Path) -> Result<Classifier, Error> {
        let bytes = tensors::read(path);
        bytes.and_then(|bytes| Self::from_bytes(&bytes)).map_err(|problem| problem.in_file(path))
    }

    /// Reads a file's bytes.
    ///
    /// # Errors
    /// What is wrong with them.
    pub fn from_bytes(bytes: &[u8]) -> Result<Classifier, Error> {
        let (tensors, metadata) = tensors::decode(bytes)?;
        Self::from_parts(tensors, metadata)
    }

    /// Makes a classifier of a file's tensors and metadata.
    ///
    /// # Errors
    /// What is wrong with them.
    pub fn from_parts(tensors: Tensors, metadata: Metadata) -> Result<Classifier, Error> {
        let Contents { members, classes, calibration, tta, bins, statistics, metadata } =
            Contents::check(tensors, metadata)?;
        let member = |(graph, mut tensors): (Graph, Tensors)| {
            for parameter in graph.parameters() {
                let tensor = tensors.get_mut(&parameter.name).expect("a tensor that was checked");
                tensor.values = parameter.to_network_layout(std::mem::take(&mut tensor.values));
            }
            Member { plan: Plan::new(&graph, &tensors), graph }
        };
        let members = members.into_iter().map(member).collect();
        let novelty = None;
        let mut classifier =
            Classifier { members, classes, calibration, tta, bins, novelty, metadata };
        let widths = classifier.members.iter().map(|member| member.plan.layer_feature_count());
        let widths: Vec<usize> = widths.collect();
        let count = classifier.classes.len();
        classifier.novelty = Novelty::from_file(statistics, &classifier.metadata, count, &widths)?;
        Ok(classifier)
    }

    /// The same, but that images are seen in this way. Where that is another one than the file's, it is no
    /// longer [calibrated](Self::calibration): what was found out was of other probabilities.
    #[must_use]
    pub fn with_tta(mut self, tta: Tta) -> Classifier {
        if tta != self.tta {
            self.tta = tta;
            self.calibration = None;
            tta.to_metadata(&mut self.metadata);
            Calibration::remove(&mut self.metadata);
        }
        self
    }

    /// The same, but that classes go into these bins. Where those are others than the file's, its
    /// [threshold](Self::calibration) is gone, which was one of the others; the temperature stays.
    ///
    /// # Errors
    /// [`Error::Bins`] if there is not a name for each class, or all go into one bin.
    pub fn with_bins(mut self, bins: Option<&ClassBins>) -> Result<Classifier, Error> {
        if bins != self.bins.as_ref() {
            ClassBins::to_metadata(bins, &mut self.metadata);
            self.bins = ClassBins::from_metadata(&self.metadata, self.classes.len())?;
            if let Some(calibration) = &mut self.calibration {
                calibration.target = None;
                calibration.to_metadata(&mut self.metadata);
            }
        }
        Ok(self)
    }

    /// The probabilities of the classes (n, classes) of n images, which are given as their pixels, 0–255,
    /// row by row, channels last, one image after the other: the softmax of the
    /// [logits](Self::logits) divided by the temperature. On all threads of rayon's current pool; their
    /// number does not change a bit.
    ///
    /// # Errors
    /// [`Error::Images`] if they are not a whole number of images, [`Error::Overflow`] if the weights are
    /// so large that an answer is no number.
    pub fn probabilities(&self, images: &[u8]) -> Result<Vec<f32>, Error> {
        self.softmax(images, self.calibration.map_or(1.0, |known| known.temperature as f32))
    }

    /// As [`probabilities`](Self::probabilities), without the temperature: the plain softmax, which
    /// calibration begins with; of several members, or of images that are seen [mirrored](Tta::Flip) too,
    /// the mean of all those.
    ///
    /// # Errors
    /// As [`probabilities`](Self::probabilities).
    pub fn plain_probabilities(&self, images: &[u8]) -> Result<Vec<f32>, Error> {
        match self.only() {
            Some(_) => self.softmax(images, 1.0),
            None => self.mean(self.pixels(images)?, Vec::new()),
        }
    }

    /// [`plain_probabilities`](Self::plain_probabilities) and
    /// [`novelty_scores`](Self::novelty_scores), in less time than apart.
    ///
    /// # Errors
    /// As of these two.
    pub fn plain_probabilities_and_novelty(
        &self,
        images: &[u8],
    ) -> Result<(Vec<f32>, Option<Vec<f64>>), Error> {
        let Some(novelty) = &self.novelty else {
            return Ok((self.plain_probabilities(images)?, None));
        };
        let x = self.pixels(images)?;
        let (features, logits) = self.layer_features_and_logits(&x);
        let probabilities = self.mean(x, logits)?;
        Ok((probabilities, Some(finite(novelty.scores(&features))?)))
    }

    /// The logits (n, classes) of n images; where their probabilities are a mean, its logarithms.
    ///
    /// # Errors
    /// As [`probabilities`](Self::probabilities).
    pub fn logits(&self, images: &[u8]) -> Result<Vec<f32>, Error> {
        self.logits_of(&self.pixels(images)?)
    }

    /// As [`logits`](Self::logits), of pixels within 0–1, as images are that were changed.
    ///
    /// # Errors
    /// As [`probabilities`](Self::probabilities).
    pub fn logits_of(&self, x: &[f32]) -> Result<Vec<f32>, Error> {
        let pixels = self.input().values();
        if !x.len().is_multiple_of(pixels) {
            return Err(Error::Images { found: x.len(), expected: pixels });
        }
        let Some(plan) = self.only() else {
            let mut mean = self.mean(x.to_vec(), Vec::new())?;
            mean.iter_mut().for_each(|mean| *mean = mean.ln());
            return Ok(mean);
        };
        let mut logits = vec![0.0; x.len() / pixels * self.classes.len()];
        plan.logits(x, &mut logits);
        self.check_finite("logits", &logits)?;
        Ok(logits)
    }

    /// The features (n, [`feature_count`](Self::feature_count)) of n images, as they are and never
    /// mirrored: what the last layer of each member goes by, one member's after the other's. Images near
    /// each other look alike to the members together; those whose features are larger count for more.
    ///
    /// # Errors
    /// [`Error::Images`] if they are not a whole number of images.
    pub fn features(&self, images: &[u8]) -> Result<Vec<f32>, Error> {
        Ok(self.beside(&self.pixels(images)?, Plan::feature_count, Plan::features))
    }

    /// The layer features (n, [`layer_feature_count`](Self::layer_feature_count)) of n images, as they are
    /// and never mirrored, as of [`Plan::layer_features_here`], one member's after the other's: means in the
    /// quarters of the image, the [features](Self::features), and the energy. By them images are told that
    /// are unlike all known ones ([`Novelty`]).
    ///
    /// # Errors
    /// [`Error::Images`] if they are not a whole number of images.
    pub fn layer_features(&self, images: &[u8]) -> Result<Vec<f32>, Error> {
        Ok(self.layer_features_and_logits(&self.pixels(images)?).0)
    }

    /// The layer features of all members beside each other, and the logits of each.
    fn layer_features_and_logits(&self, x: &[f32]) -> (Vec<f32>, Vec<Vec<f32>>) {
        let mut all = Vec::new();
        let features = self.beside(x, Plan::layer_feature_count, |plan, x, features| {
            let mut logits = vec![0.0; x.len() / self.input().values() * self.classes.len()];
            plan.layer_features(x, features, &mut logits);
            all.push(logits);
        });
        (features, all)
    }

    /// What each member makes of images, beside each other.
    fn beside(
        &self,
        x: &[f32],
        count: fn(&Plan) -> usize,
        mut of: impl FnMut(&Plan, &[f32], &mut [f32]),
    ) -> Vec<f32> {
        let n = x.len() / self.input().values();
        let width = self.members.iter().map(|member| count(&member.plan)).sum();
        let mut all = vec![0.0; n * width];
        let mut first = 0;
        for Member { plan, .. } in &self.members {
            let count = count(plan);
            let mut own = vec![0.0; n * count];
            of(plan, x, &mut own);
            for (row, own) in all.chunks_exact_mut(width).zip(own.chunks_exact(count)) {
                row[first..first + count].copy_from_slice(own);
            }
            first += count;
        }
        all
    }

    /// How unlike known images n others are, as of [`Novelty::scores`]; nothing where the file does not
    /// know.
    ///
    /// # Errors
    /// [`Error::Images`] if they are not a whole number of images, [`Error::Overflow`] if the weights are
    /// so large that a score is no number.
    pub fn novelty_scores(&self, images: &[u8]) -> Result<Option<Vec<f64>>, Error> {
        let Some(novelty) = &self.novelty else { return Ok(None) };
        finite(novelty.scores(&self.layer_features(images)?)).map(Some)
    }

    /// How many features an image has.
    pub fn feature_count(&self) -> usize {
        self.members.iter().map(|member| member.plan.feature_count()).sum()
    }

    /// How many layer features an image has.
    pub fn layer_feature_count(&self) -> usize {
        self.members.iter().map(|member| member.plan.layer_feature_count()).sum()
    }

    /// The network, where it is the only one and sees each image once.
    fn only(&self) -> Option<&Plan> {
        match (&self.members[..], self.tta) {
            ([Member { plan, .. }], Tta::None) => Some(plan),
            _ => None,
        }
    }

    /// The mean of what all members say of an image in all the ways in which it is seen. Of the first way
    /// the members' logits may be known already.
    fn mean(&self, x: Vec<f32>, known: Vec<Vec<f32>>) -> Result<Vec<f32>, Error> {
        let mut mean = vec![0.0; x.len() / self.input().values() * self.classes.len()];
        let views = self.tta.views(x, self.input());
        let mut known = known.into_iter();
        for Member { plan, .. } in &self.members {
            let mut known = known.next();
            for x in &views {
                let one = match known.take() {
                    Some(logits) => {
                        let mut one = vec![0.0; logits.len()];
                        loss::softmax(self.classes.len(), &logits, &mut one);
                        one
                    }
                    None => plan.probabilities(x),
                };
                mean.iter_mut().zip(one).for_each(|(sum, p)| *sum += p);
            }
        }
        let count = (self.members.len() * views.len()) as f32;
        mean.iter_mut().for_each(|sum| *sum /= count);
        self.check_finite("mean probabilities", &mean)?;
        Ok(mean)
    }

    /// The pixels of images within 0–1.
    fn pixels(&self, images: &[u8]) -> Result<Vec<f32>, Error> {
        let expected = self.input().values();
        if !images.len().is_multiple_of(expected) {
            return Err(Error::Images { found: images.len(), expected });
        }
        Ok(images.iter().map(|&pixel| f32::from(pixel) / 255.0).collect())
    }

    fn softmax(&self, images: &[u8], temperature: f32) -> Result<Vec<f32>, Error> {
        let mut logits = self.logits(images)?;
        logits.iter_mut().for_each(|logit| *logit /= temperature);
        let mut probabilities = vec![0.0; logits.len()];
        loss::softmax(self.classes.len(), &logits, &mut probabilities);
        self.check_finite("probabilities", &probabilities)?;
        Ok(probabilities)
    }

    fn check_finite(&self, what: &'static str, values: &[f32]) -> Result<(), Error> {
        match values.iter().position(|value| !value.is_finite()) {
            Some(at) => Err(Error::Overflow { what, image: at / self.classes.len() }),
            None => Ok(()),
        }
    }

    /// The names of the classes, in the order of the probabilities; their numbers where the file has no
    /// names.
    pub fn classes(&self) -> &[String] {
        &self.classes
    }

    /// The shape of its images.
    pub fn input(&self) -> ImageShape {
        self.members[0].graph.input()
    }

    /// Its networks, one or more, with images of the same shape and the same classes.
    pub fn members(&self) -> &[Member] {
        &self.members
    }

    /// What the file says of its confidence; nothing if it was never calibrated.
    pub fn calibration(&self) -> Option<Calibration> {
        self.calibration
    }

    /// What the file knows of known images, by which others are told; nothing if it has no statistics.
    pub fn novelty(&self) -> Option<&Novelty> {
        self.novelty.as_ref()
    }

    /// How it sees each image.
    pub fn tta(&self) -> Tta {
        self.tta
    }

    /// The bins that its classes go into, where there are such.
    pub fn bins(&self) -> Option<&ClassBins> {
        self.bins.as_ref()
    }

    /// The network's name, or the members' (`2 × vgg, resnet`); `unnamed` if the file has none.
    pub fn architecture(&self) -> &str {
        architecture(&self.metadata)
    }

    /// What the file says about itself.
    pub fn metadata(&self) -> &Metadata {
        &self.metadata
    }
}

/// Scores, if all of them are numbers.
fn finite(scores: Vec<f64>) -> Result<Vec<f64>, Error> {
    match scores.iter().position(|score| !score.is_finite()) {
        Some(image) => Err(Error::Overflow { what: "novelty", image }),
        None => Ok(scores),
    }
}

/// What a file's metadata call its network.
pub(crate) fn architecture(metadata: &Metadata) -> &str {
    let unnamed = if metadata.contains_key("graph") { "unnamed" } else { "report-cnn" };
    metadata.get("architecture").map_or(unnamed, String::as_str)
}

/// What a file holds, checked.
pub(crate) struct Contents {
    /// Each network with its tensors, in PyTorch's layouts; one at least.
    pub(crate) members: Vec<(Graph, Tensors)>,
    pub(crate) classes: Vec<String>,
    pub(crate) calibration: Option<Calibration>,
    pub(crate) tta: Tta,
    pub(crate) bins: Option<ClassBins>,
    /// The tensors that are of no network.
    pub(crate) statistics: Tensors,
    pub(crate) metadata: Metadata,
}

impl Contents {
    pub(crate) fn check(mut tensors: Tensors, metadata: Metadata) -> Result<Contents, Error> {
        if let Some(found) = metadata.get("format").filter(|&found| found != FORMAT) {
            return Err(Error::Format { found: found.clone(), expected: FORMAT });
        }
        if let Some(found) = metadata.get("normalisation").filter(|&found| found != NORMALISATION) {
            return Err(Error::Normalisation { found: found.clone(), expected: NORMALISATION });
        }
        let graphs = graphs(&metadata, &tensors)?;
        let statistics = tensors.extract_if(.., |name, _| name.starts_with(STATISTICS)).collect();
        let (count, several) = (graphs[0].classes(), graphs.len() > 1);
        let mut members = Vec::new();
        for (number, graph) in graphs.into_iter().enumerate() {
            let prefix = prefix(number, several);
            let own = take(&mut tensors, &graph, &prefix).map_err(|problem| {
                match metadata.contains_key("graph") {
                    true => problem,
                    false => Error::NoGraph(problem.into()),
                }
            })?;
            members.push((graph, own));
        }
        if let Some((name, _)) = tensors.pop_first() {
            let architecture = metadata.get("architecture").map_or("the graph", String::as_str);
            return Err(Error::Extra { name, architecture: architecture.to_owned() });
        }
        let classes = match metadata.get("classes") {
            Some(json) => {
                let names = serde_json::from_str::<Vec<String>>(json).ok();
                let distinct = |names: &Vec<String>| names.iter().collect::<BTreeSet<_>>().len();
                names.filter(|names| names.len() == count && distinct(names) == count).ok_or_else(
                    || Error::Classes {
                        found: json.clone(),
                        expected: format!("{count} names, each of its own"),
                    },
                )?
            }
            None => (0..count).map(|class| class.to_string()).collect(),
        };
        let calibration = Calibration::from_metadata(&metadata)?;
        let tta = Tta::from_metadata(&metadata)?;
        let bins = ClassBins::from_metadata(&metadata, classes.len())?;
        Ok(Contents { members, classes, calibration, tta, bins, statistics, metadata })
    }
}

/// What the names of a member's tensors begin with in a file of one member or of several.
pub(crate) fn prefix(number: usize, several: bool) -> String {
    if several { format!("{number}.") } else { String::new() }
}

/// The members' graphs, of which there is one at least, all checked and for the same images and classes.
fn graphs(metadata: &Metadata, tensors: &Tensors) -> Result<Vec<Graph>, Error> {
    let Some(json) = metadata.get("graph") else {
        let expected = "report-cnn".to_owned();
        return match metadata.get("architecture").filter(|&found| *found != expected) {
            Some(found) => Err(Error::Architecture { found: found.clone(), expected }),
            None => {
                // Files from elsewhere may be of any classes.
                let classes = tensors.get("fc2.bias").and_then(|bias| bias.shape.first().copied());
                let graph = report_cnn(classes.unwrap_or(10));
                graph.check().map(|()| vec![graph])
            }
        };
    };
    let nonsense = |error: serde_json::Error| Error::Graph(error.to_string());
    let graphs: Vec<Graph> = match json.trim_start().starts_with('[') {
        true => serde_json::from_str(json).map_err(nonsense)?,
        false => vec![serde_json::from_str(json).map_err(nonsense)?],
    };
    graphs.iter().try_for_each(Graph::check)?;
    let Some(first) = graphs.first() else {
        return Err(Error::Graph("there is none".to_owned()));
    };
    let work: u64 = graphs.iter().map(Graph::multiply_adds).sum();
    if graphs.len() > MAX_MEMBERS || work > MAX_MULTIPLY_ADDS {
        return Err(Error::Graph(format!(
            "there are {} networks, with {work} multiplications for an image; at most {MAX_MEMBERS} and \
             {MAX_MULTIPLY_ADDS}",
            graphs.len()
        )));
    }
    let same = |graph: &Graph| graph.input() == first.input() && graph.classes() == first.classes();
    match graphs.iter().all(same) {
        true => Ok(graphs),
        false => Err(Error::Graph("its members differ in their images or classes".to_owned())),
    }
}

/// Takes a graph's tensors.
fn take(tensors: &mut Tensors, graph: &Graph, prefix: &str) -> Result<Tensors, Error> {
    let mut own = Tensors::new();
    for parameter in graph.parameters() {
        let name = format!("{prefix}{}", parameter.name);
        let Some(tensor) = tensors.remove(&name) else {
            let there = tensors.keys().cloned().collect();
            return Err(Error::Missing { name, shape: parameter.shape, there });
        };
        if tensor.shape != parameter.shape {
            let (found, expected) = (tensor.shape, parameter.shape);
            return Err(Error::Shape { name, found, expected });
        }
        parameter.check(&tensor.values)?;
        own.insert(parameter.name, tensor);
    }
    Ok(own)
}

/// The network of all files without a graph.
fn report_cnn(classes: usize) -> Graph {
    let mut graph = Graph::new(ImageShape { channels: 1, side: 28 });
    let mut x = Value::IMAGES;
    for (name, outputs) in [("conv1", 32), ("conv2", 64)] {
        let conv = Op::Conv { outputs, kernel: 3, stride: 1, padding: 0, bias: true };
        x = graph.add(name, conv, &[x]);
        x = graph.add("", Op::Relu, &[x]);
        x = graph.add("", Op::MaxPool, &[x]);
    }
    x = graph.add("", Op::Flatten, &[x]);
    x = graph.add("fc1", Op::Dense { outputs: 128 }, &[x]);
    x = graph.add("", Op::Relu, &[x]);
    graph.add("fc2", Op::Dense { outputs: classes }, &[x]);
    graph
}
