"""The measured data sets: where their authors published them, their licences, and what is known of each."""

from collections.abc import Mapping
from types import MappingProxyType

from .records import ArraySpec, DataFile, MeasuredSet

COILS = ("coil", "row", "column")
STORED_SLICES = ("row", "column", "slice")
SLICES = ("slice", "row", "column")
PIXELS = ("row", "column")

_LOW_FIELD = {
    "repository": "bispmri/Ultra-low-field-MRI-Scanner",
    "commit": "01f2bfc9bde2233b74790fec0babf940e8df52ed",
}
_LOW_FIELD_CREDIT = (
    "Y. Liu et al., *A low-cost and shielding-free ultra-low-field brain MRI scanner*, Nature Communications "
    "12:7238, 2021"
)
_LOW_FIELD_KNOWN = (
    "Field strength 0.055 T, a permanent magnet; one receiving coil.",
    "Electromagnetic interference was removed by the authors before the file was written.",
    "Fully sampled, in double precision; the largest number is within three places of the middle of k-space.",
)
_LOW_FIELD_UNKNOWN = (
    "Which window was applied from row to row of k-space, and whether by the receiver or by software.",
    "How the removal of interference changes the statistics of the noise. In the heads, the air is no white noise: "
    "neighbouring pixels of its corner correlate by up to 0.35, and neighbouring slices by 0.2.",
    "A scan of noise alone. The corners of k-space are a poor stand-in: behind the window they are quieter than the "
    "rest.",
)
_NOBODY = "an object; it shows nobody"

HEAD_7_COILS = MeasuredSet(
    name="head_7_coils",
    title="a head at 3 T, seven coils, fully sampled",
    files=(
        DataFile(
            name="brain_slice.npz",
            repository="lab-midas/ismrm-moco-workshop",
            commit="efcd153b1236c1c15bf16c25c3f85d3d465a97df",
            path="data/brain_slice.npz",
            sha256="d4c5cb67c85efc1aaca90561174488a08846fff626df4cc20ce85ffe84f5281a",
            size=2875342,
        ),
    ),
    arrays={
        "image": ArraySpec(
            file="brain_slice.npz",
            key="arr_0",
            stored=("row", "column", "coil"),
            axes=COILS,
            kind="complex",
            meaning="the image of each coil, whose Fourier transform is that coil's k-space",
            shape=(7, 256, 216),
        )
    },
    licence="MIT",
    credit="Medical Image and Data Analysis lab (midas.lab), 2022: the hands-on of the ISMRM workshop on motion",
    privacy="an axial slice of one head, without a name",
    known=(
        "Field strength 3 T; one axial slice with the skull.",
        "Seven coils with their own phases; three of them see little, with peaks of 7 to 17 % of the largest.",
        "In the air around the head the noise has one level in all coils, 0.8 % of the largest magnitude, is white "
        "from pixel to pixel (autocorrelation below 0.01 at lag one), and correlates by up to 0.18 between coils.",
    ),
    unknown=(
        "Scanner, sequence, times, voxel size and the number of averages.",
        "What was done between the scanner and the file: the arrays are images, so that a window or an interpolation "
        "in k-space cannot be excluded.",
        "A scan of noise alone: the noise is estimated from the air around the head.",
    ),
    meta={"domain": "image", "field_strength": 3.0},
)

HEAD_8_COILS = MeasuredSet(
    name="head_8_coils",
    title="a head, eight coils, an eightfold accelerated scan without a reference",
    files=(
        DataFile(
            name="cartesian_ksp.npy",
            repository="mikgroup/sigpy-mri-tutorial",
            commit="b21dcdcfac8557ebb4c2bda1e9faf2cb1e1b6a33",
            path="data/cartesian_ksp.npy",
            sha256="bcfd07b767d26602bfccd08329321be57d500dc3f6b208cccddeb59162573045",
            size=2649728,
        ),
    ),
    arrays={
        "kspace": ArraySpec(
            file="cartesian_ksp.npy",
            key="",
            stored=COILS,
            axes=COILS,
            kind="complex",
            meaning="k-space with its origin in the middle, 0 where nothing was measured",
            shape=(8, 230, 180),
        )
    },
    licence="BSD-3-Clause",
    credit="the authors of SigPy, M. Lustig's group at Berkeley: the tutorial *SigPy for MRI*",
    privacy="one slice of one head, without a name",
    known=(
        "Variable density in both directions, the same places for all coils; 12.4 % were measured.",
        "A calibration region of 24 × 24 in the middle of k-space.",
    ),
    unknown=(
        "Field strength, scanner, sequence and voxel size.",
        "The truth: there is no full scan, so that quality can be told from measurements that are held out, and no "
        "other way.",
        "A scan of noise alone, and places of k-space that hold nothing but noise.",
    ),
    meta={"domain": "k-space", "calibration": (24, 24)},
)

LOWFIELD_GRE = MeasuredSet(
    name="lowfield_gre",
    title="a head at 0.055 T, gradient echo, coronal",
    files=(
        DataFile(
            name="lowfield_gre_coronal.mat",
            path="Data for Figures in the Manuscript/Figure 4A/0.055T_3DGRE_Coronal_2D kspace.mat",
            sha256="eb1b0903faeb2ee82cb5b755adada8e7a3768a5f8138d612ed84211fc5ca141c",
            size=3876935,
            **_LOW_FIELD,
        ),
    ),
    arrays={
        "kspace": ArraySpec(
            file="lowfield_gre_coronal.mat",
            key="ksp",
            stored=STORED_SLICES,
            axes=SLICES,
            kind="complex",
            meaning="k-space of each slice of a 3-D scan, with its origin in the middle",
            shape=(10, 128, 196),
        )
    },
    licence="CC0-1.0",
    credit=_LOW_FIELD_CREDIT,
    privacy="ten coronal slices of one head, without a name",
    known=(
        "3-D gradient echo, ten slices.",
        "The noise of k-space is not of one level: from the middle row to the first and the last it falls by a "
        "factor of 1.8, and columns 112 to 119 are twice as noisy as those above 130.",
        *_LOW_FIELD_KNOWN,
    ),
    unknown=_LOW_FIELD_UNKNOWN,
    meta={"domain": "k-space", "field_strength": 0.055, "sequence": "3-D gradient echo"},
)

LOWFIELD_FSE = MeasuredSet(
    name="lowfield_fse",
    title="a head at 0.055 T, fast spin echo, sagittal",
    files=(
        DataFile(
            name="lowfield_fse_sagittal.mat",
            path="Data for Figures in the Manuscript/Figure 4B/0.055T_3DFSE_Sagittal_2D kspace.mat",
            sha256="0413eb22793c84899110525ad1b20fc3d2c16da582913035e9d31b1586a90729",
            size=2506557,
            **_LOW_FIELD,
        ),
    ),
    arrays={
        "kspace": ArraySpec(
            file="lowfield_fse_sagittal.mat",
            key="ksp",
            stored=STORED_SLICES,
            axes=SLICES,
            kind="complex",
            meaning="k-space of each slice of a 3-D scan, with its origin in the middle",
            shape=(10, 126, 128),
        )
    },
    licence="CC0-1.0",
    credit=_LOW_FIELD_CREDIT,
    privacy="ten sagittal slices of one head, without a name; the outline of a face can be seen",
    known=(
        "3-D fast spin echo, ten slices; noisier than the gradient echo.",
        "The noise of k-space is not of one level: from row to row it changes by a factor of 7 to 8, and is lowest "
        "in the first; from column to column it is even within 20 %.",
        *_LOW_FIELD_KNOWN,
    ),
    unknown=_LOW_FIELD_UNKNOWN,
    meta={"domain": "k-space", "field_strength": 0.055, "sequence": "3-D fast spin echo"},
)

LOWFIELD_PHANTOM = MeasuredSet(
    name="lowfield_phantom",
    title="a phantom at 0.055 T, fast spin echo",
    files=(
        DataFile(
            name="lowfield_fse_phantom.mat",
            path="Data for Figures in the Manuscript/Figure 8A/"
            "0.055T_3DFSE_5mm thickness_vertical PE_2D kspace.mat",
            sha256="88a178e64a040ad45799fce8285ee1cea7b85b939c345b34ea146c06205164f9",
            size=250360,
            **_LOW_FIELD,
        ),
    ),
    arrays={
        "kspace": ArraySpec(
            file="lowfield_fse_phantom.mat",
            key="ksp",
            stored=PIXELS,
            axes=SLICES,
            kind="complex",
            meaning="k-space of one slice of a 3-D scan, with its origin in the middle",
            shape=(1, 126, 128),
        )
    },
    licence="CC0-1.0",
    credit=_LOW_FIELD_CREDIT,
    privacy=_NOBODY,
    known=(
        "3-D fast spin echo, one slice of 5 mm, vertical phase encoding by the file's name.",
        "The noise of k-space is not of one level: from row to row it changes by a factor of about 4, and is lowest "
        "in the last.",
        *_LOW_FIELD_KNOWN,
    ),
    unknown=(*_LOW_FIELD_UNKNOWN, "The dimensions of the phantom, which would be a truth of its own."),
    meta={"domain": "k-space", "field_strength": 0.055, "sequence": "3-D fast spin echo"},
)

_SPIRIT = {"repository": "nducros/SPIRIT", "commit": "c68de3998328fecebf7909f17ae035f467e596d6"}

JASZCZAK = MeasuredSet(
    name="jaszczak",
    title="the Jaszczak target, single-pixel camera with Haar wavelets",
    files=(
        DataFile(
            name="Jaszczak_Haar_4_128x128.mat",
            path="data/Jaszczak_Haar_4_128x128.mat",
            sha256="32853fa264eb9b4fe3635a62347061729f5d8b07b1cb2d851a82443bee858db0",
            size=136256,
            **_SPIRIT,
        ),
        DataFile(
            name="Jaszczak_CCD_64x64.png",
            path="data/Jaszczak_CCD_64x64.png",
            sha256="5d68c949ac1c55c6a4f965f745e9680485476268baf26a11eff72f0a595a98e4",
            size=5978,
            **_SPIRIT,
        ),
    ),
    arrays={
        "coefficients": ArraySpec(
            file="Jaszczak_Haar_4_128x128.mat",
            key="W",
            stored=PIXELS,
            axes=PIXELS,
            kind="real",
            meaning="Haar coefficients, counts with a positive pattern minus counts with its negative, the coarsest "
            "in the upper left corner",
            shape=(64, 64),
            kept=(64, 64),
        ),
        "camera": ArraySpec(
            file="Jaszczak_Haar_4_128x128.mat",
            key="F",
            stored=PIXELS,
            axes=PIXELS,
            kind="real",
            meaning="the target as a CCD camera sees it from another place",
            shape=(128, 128),
        ),
        "camera_64": ArraySpec(
            file="Jaszczak_CCD_64x64.png",
            key="",
            stored=PIXELS,
            axes=PIXELS,
            kind="real",
            meaning="the same in 64 × 64 grey values from 0 to 255",
            shape=(64, 64),
        ),
    },
    licence="CC-BY-SA-4.0",
    credit="F. Rousset et al., *Adaptive basis scan by wavelet prediction for single-pixel imaging*, IEEE "
    "Transactions on Computational Imaging 3:36–46, 2017; Politecnico di Milano and the University of Lyon",
    privacy=_NOBODY,
    known=(
        "A digital micromirror device (DLP7000), a photomultiplier (HPM-100-50), a pulsed supercontinuum laser and a "
        "filter at 650 nm, by the authors' description.",
        "Haar patterns of 128 × 128 with four levels of decomposition; the finest level was not acquired, and its "
        "place in the file holds zeros. 64 × 64 coefficients, two measurements each.",
        "The coarsest 8 × 8 are sums. A difference is the second half minus the first in each direction. So where an "
        "inverse transform takes the first minus the second, the sign of the differences across and down has to be "
        "turned, and that of the quarters has not. With these signs the orthonormal inverse transform is a clean "
        "image, whose correlation with the camera's picture is 0.96 before any registration.",
    ),
    unknown=(
        "The counts of the two measurements of a coefficient: they are subtracted in the file, so that the photon "
        "noise of each coefficient is not known.",
        "Repeats, dark counts and the time of each pattern.",
        "How the camera's picture maps onto the target pixel by pixel: an affine map is in the file as an object of "
        "MATLAB, which is not read.",
    ),
    meta={
        "domain": "coefficients",
        "patterns": "Haar, 4 levels",
        "size": 64,
        "coarsest": 8,
        "detail_sign": -1,
    },
)

CAR = MeasuredSet(
    name="car",
    title="a toy car, single-pixel camera with Hadamard patterns",
    files=(
        DataFile(
            name="car_hadamard_32.npz",
            repository="Denbo313/Errors-in-single-pixel-photography-emerging-from-light-collection-limits-by-the-"
            "bucket-detector",
            commit="320733fcb4d8ab99fcf64ce6cc929d94bb7a4faa",
            path="experimental_data/complex_hologram.rar",
            sha256="e9a933b4229d9a90f5929f38776dcd6e76b63fe6305e7bbe5e8b393796625378",
            size=203783,
            repacked="unpack the archive, by `bsdtar -xf`; of each .mat file take `data` as a row of `coefficients` "
            "(float32) and its name's beginning, such as `Car_boat_roi_105`, as an entry of `acquisition`, in the "
            "order of the files' names; save both with `numpy.savez_compressed`",
        ),
    ),
    arrays={
        "coefficients": ArraySpec(
            file="car_hadamard_32.npz",
            key="coefficients",
            stored=("acquisition", "pattern"),
            axes=("acquisition", "pattern"),
            kind="real",
            meaning="light behind each of 32 × 32 Hadamard patterns in their natural order, in whole numbers",
            shape=(99, 1024),
        )
    },
    labels={"acquisition": "acquisition"},
    licence="MIT",
    credit="the authors of *Errors in single pixel photography emerging from light collection limits by the bucket "
    "detector*: its supplementary data (D. Scheidt, UNAM, answers for them)",
    privacy=_NOBODY,
    known=(
        "Three series (`boat`, `half`, `zernike`) of 33 acquisitions; the number in an acquisition's name is the "
        "diameter of the region that collects light, 1 to 257.",
        "The first coefficient, of the pattern of ones, is exactly 255 times the diameter in all three series: it is "
        "a scale that was set, and no reading of its own.",
    ),
    unknown=(
        "Whether the 33 acquisitions of a series are 33 exposures. Their differences say that they are not: the "
        "second differences along the diameter have an autocorrelation near 0 (boat, half) and -0.5 (zernike) at lag "
        "one, where independent noise gives -2/3. They are no repeats, and a noise level from their spread is too "
        "low.",
        "A reference picture of the scene.",
        "How the coefficients were scaled and rounded.",
    ),
    meta={"domain": "coefficients", "patterns": "Hadamard, natural order", "size": 32},
)

_DIFFUSERCAM = {
    "repository": "Waller-Lab/DiffuserCam-Tutorial",
    "commit": "34674be3b063a266d8ce5279a31e8ac8779c1f1b",
}

DIFFUSERCAM = MeasuredSet(
    name="diffusercam",
    title="a hand behind a diffuser, a camera without a lens",
    files=(
        DataFile(
            name="psf_sample.tif",
            path="tutorial/psf_sample.tif",
            sha256="10556e057e4a68876de68d166745adf2965e58dd19730c666192802e15703f0a",
            size=3845034,
            **_DIFFUSERCAM,
        ),
        DataFile(
            name="rawdata_hand_sample.tif",
            path="tutorial/rawdata_hand_sample.tif",
            sha256="589ce55f08f22b1c46da911ea063bb62a84c55f03bb7cd70e368cc478041398f",
            size=3845034,
            **_DIFFUSERCAM,
        ),
    ),
    arrays={
        "psf": ArraySpec(
            file="psf_sample.tif",
            key="",
            stored=PIXELS,
            axes=PIXELS,
            kind="real",
            meaning="the point spread function: the sensor's reading, 0 to 65,535, of a point of light",
            shape=(1200, 1600),
        ),
        "image": ArraySpec(
            file="rawdata_hand_sample.tif",
            key="",
            stored=PIXELS,
            axes=PIXELS,
            kind="real",
            meaning="the sensor's reading of the scene",
            shape=(1200, 1600),
        ),
    },
    licence="BSD-3-Clause",
    credit="N. Antipa et al., *DiffuserCam: lensless single-exposure 3D imaging*, Optica 5:1–9, 2018; Waller Lab, "
    "Berkeley: its tutorial",
    privacy="a hand",
    known=(
        "Both pictures are from one sensor; 192 pixels of the point spread function are at its largest value, "
        "65,520, and may be saturated.",
        "Readings have an offset: the darkest of the scene is 144.",
    ),
    unknown=(
        "The scene: there is no reference picture.",
        "Repeats, gain and exposure, so that the noise is estimated and not known.",
        "How far the point was from the diffuser, and whether the scene is at the same distance.",
    ),
    meta={"domain": "image", "largest": 65535},
)

MEASURED: Mapping[str, MeasuredSet] = MappingProxyType(
    {
        card.name: card
        for card in (
            HEAD_7_COILS,
            HEAD_8_COILS,
            LOWFIELD_GRE,
            LOWFIELD_FSE,
            LOWFIELD_PHANTOM,
            JASZCZAK,
            CAR,
            DIFFUSERCAM,
        )
    }
)
"""The measured data sets by their names."""
