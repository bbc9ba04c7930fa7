// What inspection finds. The kinds are those of inspection/findings.py.
export default {
  "finding.leak.title": "In training and held out", "finding.leak.text": "A photo that measures the classifier has a copy among those it learns from. Accuracy then looks better than it is.",
  "finding.shortcut.title": "Shortcuts", "finding.shortcut.text": "Something technical, not what the photos show, tells the classes apart. It may not hold for other photos.",
  "finding.possible grouping.title": "Possible groups", "finding.possible grouping.text": "Several photos seem to show one thing. If some of them are learned from and others measured on, accuracy looks better than it is.",
  "finding.conflicting labels.title": "Copies under two labels", "finding.conflicting labels.text": "The same photo with two labels: one of them is wrong.",
  "finding.doubtful label.title": "Doubtful labels", "finding.doubtful label.text": "A classifier that has not seen these photos is confident that they belong to another class. Some have a wrong label, others are only hard to recognise.",
  "finding.unreadable.title": "Unreadable", "finding.unreadable.text": "Files that cannot be decoded. They are left out.",
  "finding.same bytes.title": "Identical files", "finding.same bytes.text": "The same file more than once. All of them stay on one side of the splits.",
  "finding.same pixels.title": "Identical pictures", "finding.same pixels.text": "Different files that show exactly the same pixels.",
  "finding.nearly the same.title": "Near copies", "finding.nearly the same.text": "The same photo resized, recompressed, mirrored or cropped, or two shots in quick succession.",
  "finding.unlike its class.title": "Unlike all others", "finding.unlike its class.text": "They may be mistakes, damaged, or rare and valuable.",
  "finding.wrong ending.title": "Wrong ending", "finding.wrong ending.text": "Files in another format than their name says. They are read all the same.",
  "finding.unusual colours.title": "Unusual colours", "finding.unusual colours.text": "Colours or transparency that most other photos do not have.",
  "finding.small.title": "Small", "finding.small.text": "Photos with so few pixels that they are enlarged more than twofold.",
  "finding.very oblong.title": "Very oblong", "finding.very oblong.text": "Far from square, so that stretching them distorts what they show: try another resizing.",
};
